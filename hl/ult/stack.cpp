// SPDX-License-Identifier: BSD-3-Clause
#include "hl/ult/stack.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/context/detail/fcontext.hpp>
#include <cstdlib>
#include <new>

#include "hl/ult/sanitizers.hpp"

#if defined(CINNABAR_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(CINNABAR_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

namespace context = boost::context::detail;

constexpr std::size_t kept_stacks = 256;

// What travels with a jump. It lies on the stack that is left, which the other side reads at once.
struct Passage {
    Stack* from;
    Errand errand;
    Departure (*entry)(Errand);  // of a stack that begins
};

std::size_t page_size() noexcept {
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

std::size_t rounded(std::size_t size) noexcept {
#if defined(CINNABAR_ASAN) || defined(CINNABAR_TSAN)
    size *= 4;  // frames with red zones are larger
#endif
    const std::size_t page = page_size();
    const std::size_t least = 4 * page;
    return ((size < least ? least : size) + page - 1) / page * page;
}

void leave([[maybe_unused]] Stack& from, [[maybe_unused]] Stack& to,
           [[maybe_unused]] bool last) noexcept {
#if defined(CINNABAR_ASAN)
    __sanitizer_start_switch_fiber(last ? nullptr : &from.fake_stack, to.bottom, to.size);
#elif defined(CINNABAR_TSAN)
    __tsan_switch_to_fiber(to.fiber, 0);
#endif
}

void arrive([[maybe_unused]] void* fake_stack) noexcept {
#if defined(CINNABAR_ASAN)
    __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
}

Errand take(context::transfer_t transfer) noexcept {
    const auto* passage = static_cast<const Passage*>(transfer.data);
    passage->from->context = transfer.fctx;
    return passage->errand;
}

[[noreturn]] void begin(context::transfer_t transfer);

// A Stack that has not begun keeps its entry where the fake stack of a left one would be.
Errand jump(Stack& from, Stack& to, Errand errand, bool last) {
    Passage passage{&from, errand, nullptr};
    if (to.context == nullptr) {
        passage.entry = reinterpret_cast<Departure (*)(Errand)>(to.fake_stack);
        to.fake_stack = nullptr;
        to.context = context::make_fcontext(to.bottom + to.size, to.size, begin);
    }
    leave(from, to, last);
    const context::transfer_t transfer = context::jump_fcontext(to.context, &passage);
    arrive(from.fake_stack);
    return take(transfer);
}

void begin(context::transfer_t transfer) {
    arrive(nullptr);
    auto* const entry = static_cast<const Passage*>(transfer.data)->entry;
    const Departure last = entry(take(transfer));
    (void)jump(last.from, last.to, last.errand, true);
    std::abort();
}

void unmap(Stack* stack) noexcept {
    const std::size_t page = page_size();
    ::munmap(stack->bottom - page, stack->size + page);
    delete stack;
}

}  // namespace

Errand switch_stack(Stack& from, Stack& to, Errand errand) {
    return jump(from, to, errand, false);
}

void prepare_stack(Stack& stack, Departure (*entry)(Errand)) {
    stack.context = nullptr;
    stack.fake_stack = reinterpret_cast<void*>(entry);
}

void adopt_native([[maybe_unused]] Stack& native) noexcept {
#if defined(CINNABAR_ASAN)
    pthread_attr_t attributes;
    if (::pthread_getattr_np(::pthread_self(), &attributes) == 0) {
        void* bottom = nullptr;
        (void)::pthread_attr_getstack(&attributes, &bottom, &native.size);
        native.bottom = static_cast<std::byte*>(bottom);
        (void)::pthread_attr_destroy(&attributes);
    }
#elif defined(CINNABAR_TSAN)
    native.fiber = __tsan_get_current_fiber();
#endif
}

void release_native(Stack& native) noexcept {
    native = {};
}

StackCache::~StackCache() {
    for (auto& [size, stacks] : free_) {
        for (Stack* stack : stacks)
            unmap(stack);
    }
}

Stack* StackCache::acquire(std::size_t size) noexcept {
    size = rounded(size);
    Stack* stack = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = free_.find(size); found != free_.end() && !found->second.empty()) {
            stack = found->second.back();
            found->second.pop_back();
            --count_;
        }
    }
    if (stack == nullptr) {
        const std::size_t page = page_size();
        void* memory = ::mmap(nullptr, size + page, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (memory == MAP_FAILED) return nullptr;
        stack = new (std::nothrow) Stack;
        if (stack == nullptr || ::mprotect(memory, page, PROT_NONE) != 0) {
            ::munmap(memory, size + page);
            delete stack;
            return nullptr;
        }
        // Huge pages would make each stack cost its full size.
        (void)::madvise(memory, size + page, MADV_NOHUGEPAGE);
        stack->bottom = static_cast<std::byte*>(memory) + page;
        stack->size = size;
    }
#if defined(CINNABAR_TSAN)
    stack->fiber = __tsan_create_fiber(0);
#endif
    return stack;
}

void StackCache::release(Stack* stack) noexcept {
#if defined(CINNABAR_TSAN)
    __tsan_destroy_fiber(stack->fiber);
    stack->fiber = nullptr;
#elif defined(CINNABAR_ASAN)
    // The frames that were left behind never ran to their end.
    __asan_unpoison_memory_region(stack->bottom, stack->size);
#endif
    stack->context = nullptr;
    stack->fake_stack = nullptr;
    {
        const std::lock_guard lock(mutex_);
        if (count_ < kept_stacks) {
            try {
                free_[stack->size].push_back(stack);
                ++count_;
                return;
            } catch (const std::bad_alloc&) {
                // Then it is not kept.
            }
        }
    }
    unmap(stack);
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
