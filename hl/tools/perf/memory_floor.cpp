// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/memory_floor.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include "hl/tools/perf/fail.hpp"
#include "hl/tools/perf/spin.hpp"

namespace cinnabar::perf {
namespace {

void fill(Slot& slot, std::uint64_t number) {
    slot.payload.fill(static_cast<std::byte>(number));
    slot.filled.store(number, std::memory_order_release);
}

bool is_filled(const Slot& slot, std::uint64_t number) {
    return slot.filled.load(std::memory_order_acquire) == number;
}

void write_event(int descriptor) {
    const std::uint64_t one = 1;
    check_system(::write(descriptor, &one, sizeof one) == sizeof one, "writing an event");
}

void read_event(int descriptor) {
    std::uint64_t value = 0;
    check_system(::read(descriptor, &value, sizeof value) == sizeof value, "reading an event");
}

}  // namespace

double bounce_line(SharedArea& area, std::uint64_t warm, std::uint64_t count) {
    std::atomic<std::uint64_t>& word = area.bounced.word;
    const std::uint64_t before = word.load(std::memory_order_relaxed);
    double start = now();
    for (std::uint64_t i = 0; i < warm + count; ++i) {
        if (i == warm) start = now();
        word.store(before + 2 * i + 1, std::memory_order_release);
        spin_until(word, before + 2 * i + 2);
    }
    return now() - start;
}

void bounce_line_back(SharedArea& area, std::uint64_t count) {
    std::atomic<std::uint64_t>& word = area.bounced.word;
    const std::uint64_t before = word.load(std::memory_order_relaxed) & ~std::uint64_t{1};
    for (std::uint64_t i = 0; i < count; ++i) {
        spin_until(word, before + 2 * i + 1);
        word.store(before + 2 * i + 2, std::memory_order_release);
    }
}

double RingFloor::call(std::uint64_t warm, std::uint64_t count, std::uint64_t window) {
    const std::uint64_t end = done_ + warm + count;
    std::uint64_t sent = done_;
    Spinner spinner;
    double start = now();
    for (std::uint64_t received = done_; received < end;) {
        if (sent < end && sent - received < window) {
            ++sent;
            fill(area_.to_server[sent % ring_slots], sent);
        } else if (is_filled(area_.to_client[(received + 1) % ring_slots], received + 1)) {
            ++received;
            if (received == done_ + warm) start = now();
        } else {
            spinner.again();
        }
    }
    done_ = end;
    return now() - start;
}

void RingFloor::echo(std::uint64_t count) {
    Spinner spinner;
    for (const std::uint64_t end = done_ + count; done_ < end;) {
        const std::uint64_t number = done_ + 1;
        if (!is_filled(area_.to_server[number % ring_slots], number)) {
            spinner.again();
            continue;
        }
        fill(area_.to_client[number % ring_slots], number);
        done_ = number;
    }
}

double call_event(int to_server, int to_client, std::uint64_t warm, std::uint64_t count) {
    double start = now();
    for (std::uint64_t i = 0; i < warm + count; ++i) {
        if (i == warm) start = now();
        write_event(to_server);
        read_event(to_client);
    }
    return now() - start;
}

void echo_event(int to_server, int to_client, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        read_event(to_server);
        write_event(to_client);
    }
}

double read_process(pid_t process, std::uint64_t address, std::size_t size, std::byte* buffer,
                    std::uint64_t count) {
    const iovec local{buffer, size};
    // An address of the other process, never followed here.
    const iovec remote{reinterpret_cast<void*>(address), size};
    const double start = now();
    for (std::uint64_t i = 0; i < count; ++i)
        check_system(
            ::process_vm_readv(process, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size),
            "process_vm_readv");
    return now() - start;
}

double copy_memory(const SharedArea& area, std::size_t size, std::byte* buffer,
                   std::uint64_t count) {
    const double start = now();
    for (std::uint64_t i = 0; i < count; ++i) {
        std::memcpy(buffer, area.bytes.data(), size);
        // So that no copy is left out because the next one overwrites it.
        asm volatile("" : : "r"(buffer) : "memory");
    }
    return now() - start;
}

}  // namespace cinnabar::perf
