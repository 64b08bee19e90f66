// SPDX-License-Identifier: BSD-3-Clause
// Two stores in one process, told apart by their ids.
#include "examples/09_provider_cpp/store.hpp"
#include "examples/common.hpp"

int main(int argc, char** argv) {
    return examples::run_main(argc, argv, [&](const std::string& info) {
        cinnabar::Engine engine(info);
        cinnabar::Event shutdown;
        auto first = engine.provide<examples::Store>(1, engine);
        auto second = engine.provide<examples::Store>(2, engine);
        engine.define("shutdown", [&shutdown] { shutdown.set(); }).value();
        examples::announce(engine, argc, argv);
        shutdown.wait();
    });
}
