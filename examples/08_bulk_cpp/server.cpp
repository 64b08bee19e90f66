// SPDX-License-Identifier: BSD-3-Clause
// Sums numbers that lie in the caller's memory: pulled in pieces, each summed while those behind it
// move.
#include "examples/common.hpp"

int main(int argc, char** argv) {
    return examples::run_main(argc, argv, [&](const std::string& info) {
        using namespace std::chrono_literals;
        cinnabar::Engine engine(info);
        cinnabar::Event shutdown;
        engine
            .define("sum",
                    [&](const cinnabar::Caller& caller, const cinnabar::Region& theirs) {
                        std::vector<std::uint32_t> numbers(theirs.size() / sizeof(std::uint32_t));
                        cinnabar::Region mine =
                            engine.expose(std::span(numbers), cinnabar::Access::write);
                        std::uint64_t sum = 0;
                        theirs.on(caller.endpoint())
                            .within(30s)
                            .pull_pieces(mine, {.size = 1 << 16, .window = 4},
                                         [&](std::size_t offset, std::size_t size) {
                                             for (std::size_t i = offset; i < offset + size; i += 4)
                                                 sum += numbers[i / 4];
                                         })
                            .value();
                        return sum;
                    })
            .value();
        engine.define("shutdown", [&shutdown] { shutdown.set(); }).value();
        examples::announce(engine, argc, argv);
        shutdown.wait();
    });
}
