// SPDX-License-Identifier: BSD-3-Clause
// A handler that is a coroutine: while it waits for the answers of others it needs no stack.
#include "examples/common.hpp"

int main(int argc, char** argv) {
    return examples::run_main(argc, argv, [&](const std::string& info) {
        cinnabar::Engine engine(info);
        cinnabar::Event shutdown;
        auto half = engine.procedure<int(int)>("half");
        engine.define("half", [](int x) { return x / 2; }).value();
        // Parameters are values: they live in the coroutine.
        engine
            .define("steps",
                    [&](int x) -> cinnabar::Task<int> {
                        int steps = 0;
                        for (; x > 1; ++steps) {
                            auto call = half.on(engine.self()).async(x);
                            cinnabar::Result<int> result = co_await call;
                            x = result.value();
                        }
                        co_return steps;
                    })
            .value();
        engine.define("shutdown", [&shutdown] { shutdown.set(); }).value();
        examples::announce(engine, argc, argv);
        shutdown.wait();
    });
}
