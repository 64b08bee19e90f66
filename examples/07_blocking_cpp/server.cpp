// SPDX-License-Identifier: BSD-3-Clause
// A handler that blocks: `total` calls another procedure of its own process for each number, and
// sleeps. One stream serves it all, since whoever waits gives the stream away.
#include "examples/common.hpp"

int main(int argc, char** argv) {
    return examples::run_main(argc, argv, [&](const std::string& info) {
        using namespace std::chrono_literals;
        cinnabar::Engine engine(info);
        cinnabar::Event shutdown;
        auto square = engine.procedure<int(int)>("square");
        engine
            .define("square",
                    [](int x) {
                        cinnabar::sleep_for(1ms);
                        return x * x;
                    })
            .value();
        engine
            .define("total",
                    [&](const cinnabar::Caller&, const std::vector<int>& numbers) {
                        std::vector<cinnabar::Call<int>> calls;
                        for (const int number : numbers)
                            calls.push_back(square.on(engine.self()).async(number));
                        int total = 0;
                        for (auto& result : cinnabar::wait_all(calls))
                            total += result.value();
                        return total;
                    })
            .value();
        engine.define("shutdown", [&shutdown] { shutdown.set(); }).value();
        examples::announce(engine, argc, argv);
        shutdown.wait();
    });
}
