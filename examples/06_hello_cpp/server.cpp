// SPDX-License-Identifier: BSD-3-Clause
// Serves two procedures until a client asks it to end. A handler is an ordinary function; it runs
// as a user-level thread and may block.
#include <cstdio>
#include <exception>
#include <string>

#include "cinnabar/cinnabar.hpp"

namespace {

// Whoever waits for the file finds it complete.
void write_address(const std::string& path, const std::string& address) {
    const std::string unfinished = path + ".new";
    std::FILE* file = std::fopen(unfinished.c_str(), "w");
    if (file == nullptr) throw std::runtime_error("cannot write " + unfinished);
    std::fputs(address.c_str(), file);
    std::fclose(file);
    std::rename(unfinished.c_str(), path.c_str());
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 2 && argc != 4) {
        std::fprintf(stderr, "usage: %s INFO [--address-file FILE]\n", argv[0]);
        return 2;
    }
    cinnabar::Engine engine(argv[1]);
    cinnabar::Event shutdown;
    engine.define("greet", [](const std::string& name) { return "hello, " + name; }).value();
    engine.define("sum", [](int x, int y) { return x + y; }).value();
    engine.define("shutdown", [&shutdown] { shutdown.set(); }).value();

    std::printf("%s\n", engine.address().c_str());
    std::fflush(stdout);
    if (argc == 4) write_address(argv[3], engine.address());
    shutdown.wait();
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
