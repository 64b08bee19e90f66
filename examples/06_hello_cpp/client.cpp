// SPDX-License-Identifier: BSD-3-Clause
// Calls the server as if its procedures were here.
#include <cstdio>
#include <exception>
#include <string>

#include "cinnabar/cinnabar.hpp"

int main(int argc, char** argv) try {
    if (argc != 3 && argc != 4) {
        std::fprintf(stderr, "usage: %s ADDRESS NAME [--shutdown]\n", argv[0]);
        return 2;
    }
    using namespace std::chrono_literals;
    const std::string address = argv[1];
    cinnabar::Engine engine(address.substr(0, address.find(':')), {.listen = false});
    const cinnabar::Endpoint server = engine.lookup(address);

    auto greet = engine.procedure<std::string(std::string)>("greet");
    const std::string greeting = greet.on(server).within(5s)(argv[2]);
    std::printf("%s\n", greeting.c_str());

    auto sum = engine.procedure<int(int, int)>("sum");
    if (cinnabar::Result<int> result = sum.on(server).within(5s)(40, 2); result.ok())
        std::printf("40 + 2 = %d\n", result.value());
    else
        std::fprintf(stderr, "%s\n", result.error().message().c_str());

    if (argc == 4) engine.procedure<void()>("shutdown").on(server).within(5s)().value();
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
