// SPDX-License-Identifier: BSD-3-Clause
// Calls from a coroutine, one after the other.
#include "examples/common.hpp"

namespace {

cinnabar::Task<int> sum_of_steps(cinnabar::Engine& engine, cinnabar::Endpoint server) {
    using namespace std::chrono_literals;
    auto steps = engine.procedure<int(int)>("steps").on(server).within(30s);
    int sum = 0;
    for (const int x : {1, 2, 16, 1024}) {
        auto call = steps.async(x);
        cinnabar::Result<int> result = co_await call;
        sum += result.value();
    }
    co_return sum;
}

}  // namespace

int main(int argc, char** argv) {
    return examples::run_main(argc, argv, [](const std::string& address) {
        using namespace std::chrono_literals;
        cinnabar::Engine engine(examples::net_of(address), {.listen = false});
        const cinnabar::Endpoint server = engine.lookup(address);
        const int sum = cinnabar::run(engine.pool(), sum_of_steps(engine, server))->wait();
        std::printf("steps: %d\n", sum);
        engine.procedure<void()>("shutdown").on(server).within(30s)().value();
    });
}
