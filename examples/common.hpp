// SPDX-License-Identifier: BSD-3-Clause
// What the C++ examples share: the arguments of a server, its address file, and a client's engine
// on the network of an address. Used by one thread.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

#include "cinnabar/cinnabar.hpp"

namespace examples {

// Says where the engine is: to the reader, and in the file after `--address-file`, which is
// complete when it appears.
inline void announce(const cinnabar::Engine& engine, int argc, char** argv) {
    const std::string address = engine.address();
    std::printf("%s\n", address.c_str());
    std::fflush(stdout);
    if (argc != 4 || std::string(argv[2]) != "--address-file") return;
    const std::string path = argv[3];
    const std::string unfinished = path + ".new";
    std::FILE* file = std::fopen(unfinished.c_str(), "w");
    if (file == nullptr) throw std::runtime_error("cannot write " + unfinished);
    std::fputs(address.c_str(), file);
    std::fclose(file);
    if (std::rename(unfinished.c_str(), path.c_str()) != 0)
        throw std::runtime_error("cannot write " + path);
}

// The network of an address is what stands before its colon.
inline std::string net_of(const std::string& address) {
    return address.substr(0, address.find(':'));
}

// Runs `body(info or address)`; what it throws ends the program with a message.
template <class Body>
int run_main(int argc, char** argv, Body body) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s INFO [--address-file FILE] | ADDRESS\n", argv[0]);
        return 2;
    }
    try {
        body(std::string(argv[1]));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
        return 1;
    }
}

}  // namespace examples
