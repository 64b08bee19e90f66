// SPDX-License-Identifier: BSD-3-Clause
#include "hl/ult/recycle.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <new>
#include <vector>

#include "hl/ult/sanitizers.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t step = 64;
constexpr std::size_t classes = 16;
constexpr unsigned most_kept = 512;  // of each class
#if defined(CINNABAR_ASAN) || defined(CINNABAR_TSAN) || defined(CINNABAR_UNITS_AS_THREADS)
constexpr bool recycles = false;
#else
constexpr bool recycles = true;
#endif

class Shelf;

struct alignas(__STDCPP_DEFAULT_NEW_ALIGNMENT__) Block {
    Shelf* home;  // null: of no thread
    union {
        Block* next;       // while it is free
        std::size_t kind;  // while it is used
    };
};

// The blocks of one thread. Never deleted, since blocks may come back to it after the thread has
// ended; a new thread takes it over then.
class Shelf {
public:
    void* take(std::size_t kind) {
        if (kept_[kind].first == nullptr) collect();
        Block* block = kept_[kind].first;
        if (block == nullptr) {
            block = static_cast<Block*>(::operator new((kind + 1) * step + sizeof(Block)));
            block->home = this;
        } else {
            kept_[kind].first = block->next;
            --kept_[kind].count;
        }
        block->kind = kind;
        return block + 1;
    }

    void keep(Block& block) noexcept {
        Kept& kept = kept_[block.kind];
        if (kept.count >= most_kept) return ::operator delete(static_cast<void*>(&block));
        block.next = kept.first;
        kept.first = &block;
        ++kept.count;
    }

    // By other threads. The kind lies in the first word of what was the user's meanwhile.
    void give_back(Block& block) noexcept {
        *reinterpret_cast<std::size_t*>(&block + 1) = block.kind;
        Block* first = returned_.load(std::memory_order_relaxed);
        do {
            block.next = first;
        } while (!returned_.compare_exchange_weak(first, &block, std::memory_order_release,
                                                  std::memory_order_relaxed));
    }

    void empty() noexcept {
        collect();
        for (Kept& kept : kept_) {
            while (Block* block = kept.first) {
                kept.first = block->next;
                ::operator delete(static_cast<void*>(block));
            }
            kept.count = 0;
        }
    }

private:
    struct Kept {
        Block* first = nullptr;
        unsigned count = 0;
    };

    void collect() noexcept {
        if (returned_.load(std::memory_order_relaxed) == nullptr) return;
        Block* block = returned_.exchange(nullptr, std::memory_order_acquire);
        while (block != nullptr) {
            Block* next = block->next;
            block->kind = *reinterpret_cast<std::size_t*>(block + 1);
            keep(*block);
            block = next;
        }
    }

    std::array<Kept, classes> kept_{};
    std::atomic<Block*> returned_{nullptr};
};

// Those whose thread has ended. Never destroyed: threads may end after the statics have.
struct Idle {
    std::mutex mutex;
    std::vector<Shelf*> shelves;

    static Idle& get() {
        static auto* idle = new Idle;
        return *idle;
    }
};

[[gnu::tls_model("initial-exec")]] thread_local Shelf* own = nullptr;

struct Owner {
    bool ended = false;

    bool open() {
        if (ended) return false;
        Idle& idle = Idle::get();
        const std::lock_guard lock(idle.mutex);
        if (idle.shelves.empty()) {
            idle.shelves.reserve(16);
            own = new Shelf;
        } else {
            own = idle.shelves.back();
            idle.shelves.pop_back();
        }
        return true;
    }
    ~Owner() {
        ended = true;
        Shelf* shelf = own;
        own = nullptr;
        if (shelf == nullptr) return;
        shelf->empty();
        Idle& idle = Idle::get();
        const std::lock_guard lock(idle.mutex);
        try {
            idle.shelves.push_back(shelf);
        } catch (const std::bad_alloc&) {
            // Then it is lost, empty.
        }
    }
};

[[gnu::noinline]] Shelf* begin() {
    thread_local Owner owner;
    return owner.open() ? own : nullptr;
}

}  // namespace

// Neither suspends: the thread stays the same throughout.
[[gnu::noinline]] void* recycled_new(std::size_t size) {
    const std::size_t kind = (size + step - 1) / step - 1;
    if (recycles && kind < classes) {
        if (Shelf* shelf = own != nullptr ? own : begin()) return shelf->take(kind);
    }
    auto* block = static_cast<Block*>(::operator new(size + sizeof(Block)));
    block->home = nullptr;
    block->kind = kind;
    return block + 1;
}

[[gnu::noinline]] void recycled_delete(void* memory) noexcept {
    if (memory == nullptr) return;
    Block& block = *(static_cast<Block*>(memory) - 1);
    if (block.home == nullptr)
        ::operator delete(static_cast<void*>(&block));
    else if (block.home == own)
        block.home->keep(block);
    else
        block.home->give_back(block);
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
