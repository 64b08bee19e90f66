// SPDX-License-Identifier: BSD-3-Clause
// Calls `total` eight times at once, with a deadline for each.
#include "examples/common.hpp"

int main(int argc, char** argv) {
    return examples::run_main(argc, argv, [](const std::string& address) {
        using namespace std::chrono_literals;
        cinnabar::Engine engine(examples::net_of(address), {.listen = false});
        const cinnabar::Endpoint server = engine.lookup(address);
        auto total = engine.procedure<int(std::vector<int>)>("total").on(server).within(30s);
        std::vector<cinnabar::Call<int>> calls;
        for (int i = 0; i < 8; ++i)
            calls.push_back(total.async({i, i + 1, i + 2}));
        int sum = 0;
        for (auto& result : cinnabar::wait_all(calls))
            sum += result.value();
        std::printf("sum of squares: %d\n", sum);
        engine.procedure<void()>("shutdown").on(server).within(30s)().value();
    });
}
