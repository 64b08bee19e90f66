// SPDX-License-Identifier: BSD-3-Clause
// Puts a value into one store, finds it there, and does not find it in the other.
#include "examples/common.hpp"

int main(int argc, char** argv) {
    return examples::run_main(argc, argv, [](const std::string& address) {
        using namespace std::chrono_literals;
        using cinnabar::Region;
        cinnabar::Engine engine(examples::net_of(address), {.listen = false});
        const cinnabar::Endpoint server = engine.lookup(address);
        auto put = engine.procedure<void(std::string, Region)>("put", 1).on(server).within(30s);
        auto get = engine.procedure<std::uint64_t(std::string, Region)>("get", 1);
        auto size = engine.procedure<std::uint64_t(std::string)>("size", 1).on(server).within(30s);
        auto other = engine.procedure<std::uint64_t(std::string)>("size", 2);

        std::string text = "a value of any size, fetched from our memory";
        const Region value = engine.expose(std::span(text), cinnabar::Access::read);
        put("key", value).value();

        std::string back(size("key").value(), '\0');
        const Region room = engine.expose(std::span(back), cinnabar::Access::write);
        get.on(server).within(30s)("key", room).value();
        std::printf("store 1: %s\n", back.c_str());
        const auto missing = other.on(server).within(30s)("key");
        std::printf("store 2: %s\n", missing.ok() ? "?" : missing.error().text.c_str());
        engine.procedure<void()>("shutdown").on(server).within(30s)().value();
    });
}
