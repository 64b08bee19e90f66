// SPDX-License-Identifier: BSD-3-Clause
// Exposes a vector; the server fetches it.
#include "examples/common.hpp"

#include <numeric>

int main(int argc, char** argv) {
    return examples::run_main(argc, argv, [](const std::string& address) {
        using namespace std::chrono_literals;
        cinnabar::Engine engine(examples::net_of(address), {.listen = false});
        const cinnabar::Endpoint server = engine.lookup(address);
        std::vector<std::uint32_t> numbers(1 << 20);
        std::iota(numbers.begin(), numbers.end(), 0);
        const cinnabar::Region region = engine.expose(std::span(numbers), cinnabar::Access::read);
        auto sum = engine.procedure<std::uint64_t(cinnabar::Region)>("sum");
        const std::uint64_t total = sum.on(server).within(30s)(region);
        std::printf("sum: %llu\n", static_cast<unsigned long long>(total));
        engine.procedure<void()>("shutdown").on(server).within(30s)().value();
    });
}
