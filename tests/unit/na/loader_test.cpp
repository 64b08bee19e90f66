// SPDX-License-Identifier: BSD-3-Clause
// Finding and accepting plugins: search order, what is no plugin, tables that are older or newer
// than this libna, slots that a plugin does not fill.
#include "na/loader/loader.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/support/log_check.hpp"

namespace cinnabar::na {
namespace {

namespace fs = std::filesystem;

struct TemporaryFolder {
    TemporaryFolder() {
        char name[] = "/tmp/cinnabar-loader-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path = name;
    }
    ~TemporaryFolder() { fs::remove_all(path); }
    fs::path path;
};

void touch(const fs::path& path) {
    std::ofstream(path) << "not an object file";
}

bool accepts_all(const char*) {
    return true;
}
na_return_t opens(void*, const na_plugin_open*) {
    return NA_SUCCESS;
}

na_plugin_class_ops minimal_class_ops() {
    na_plugin_class_ops ops{};
    ops.size = sizeof ops;
    ops.check_protocol = accepts_all;
    ops.open = opens;
    return ops;
}

na_plugin minimal(const na_plugin_class_ops& ops) {
    na_plugin table{};
    table.size = sizeof table;
    table.abi_version = NA_PLUGIN_ABI_VERSION;
    table.name = "minimal";
    table.class_name = "na";
    table.class_ops = &ops;
    return table;
}

TEST_CASE("folders of NA_PLUGIN_PATH come first, in order, empty ones skipped") {
    const char* before = std::getenv("NA_PLUGIN_PATH");
    const std::string saved = before == nullptr ? "" : before;
    ::setenv("NA_PLUGIN_PATH", ":/first::/second:", 1);
    const std::vector<std::string> folders = plugin_folders();
    if (before == nullptr)
        ::unsetenv("NA_PLUGIN_PATH");
    else
        ::setenv("NA_PLUGIN_PATH", saved.c_str(), 1);
    REQUIRE(folders.size() >= 3);
    CHECK(folders[0] == "/first");
    CHECK(folders[1] == "/second");
}

TEST_CASE("plugin files are found by name, the first of each name wins") {
    const TemporaryFolder a, b;
    touch(a.path / "libna_plugin_zeta.so");
    touch(a.path / "libna_plugin_alpha.so");
    touch(a.path / "libna_plugin_alpha.so.1");
    touch(a.path / "libother.so");
    touch(b.path / "libna_plugin_alpha.so");
    touch(b.path / "libna_plugin_beta.so");
    const auto files = find_plugin_files({a.path.string(), "/no/such/folder", b.path.string()});
    CHECK(files == std::vector<std::string>{(a.path / "libna_plugin_alpha.so").string(),
                                            (a.path / "libna_plugin_zeta.so").string(),
                                            (b.path / "libna_plugin_beta.so").string()});
}

TEST_CASE("a file that is no plugin is one warning with the reason") {
    const TemporaryFolder folder;
    const fs::path path = folder.path / "libna_plugin_bad.so";
    touch(path);
    test::expect_log("libna_plugin_bad.so cannot be loaded: ");
    CHECK(load_plugin(path.string()) == nullptr);
    test::expect_log("libc.so.6 cannot be used: it exports no na_plugin_entry");
    CHECK(load_plugin("libc.so.6") == nullptr);
}

TEST_CASE("a table that cannot be used is refused with the reason") {
    std::string why;
    CHECK(accept_plugin(nullptr, &why) == nullptr);
    CHECK(why == "it says that it cannot work here");

    na_plugin_class_ops ops = minimal_class_ops();
    na_plugin table = minimal(ops);
    table.abi_version = NA_PLUGIN_ABI_VERSION + 1;
    CHECK(accept_plugin(&table, &why) == nullptr);
    CHECK(why.find("ABI") != std::string::npos);

    const auto refused = [&](auto&& spoil) {
        na_plugin_class_ops spoiled_ops = minimal_class_ops();
        na_plugin spoiled = minimal(spoiled_ops);
        spoil(spoiled, spoiled_ops);
        return accept_plugin(&spoiled, &why) == nullptr;
    };
    CHECK(refused([](na_plugin& t, na_plugin_class_ops&) { t.name = nullptr; }));
    CHECK(refused([](na_plugin& t, na_plugin_class_ops&) { t.class_name = nullptr; }));
    CHECK(refused([](na_plugin& t, na_plugin_class_ops&) { t.class_ops = nullptr; }));
    CHECK(refused([](na_plugin&, na_plugin_class_ops& o) { o.check_protocol = nullptr; }));
    CHECK(refused([](na_plugin&, na_plugin_class_ops& o) { o.open = nullptr; }));
    CHECK_FALSE(refused([](na_plugin&, na_plugin_class_ops&) {}));
}

TEST_CASE("slots that a plugin leaves empty are filled") {
    const na_plugin_class_ops ops = minimal_class_ops();
    const na_plugin table = minimal(ops);
    std::string why;
    const auto plugin = accept_plugin(&table, &why);
    REQUIRE(plugin != nullptr);
    void* found = nullptr;
    CHECK(plugin->address.lookup(nullptr, "x", &found) == NA_OPNOTSUPPORTED);
    CHECK(plugin->message.send_unexpected(nullptr, nullptr, nullptr) == NA_OPNOTSUPPORTED);
    CHECK(plugin->message.multi_recv_unexpected(nullptr, nullptr, nullptr) == NA_OPNOTSUPPORTED);
    CHECK(plugin->rma.put(nullptr, nullptr, nullptr) == NA_OPNOTSUPPORTED);
    CHECK(plugin->progress.cancel(nullptr, nullptr) == NA_OPNOTSUPPORTED);
    CHECK(plugin->progress.get_fd(nullptr) == -1);
    CHECK_FALSE(plugin->progress.try_wait(nullptr));
    CHECK_FALSE(plugin->cls.has_feature(nullptr, 1));
    na_limits limits{};
    limits.size = sizeof limits;
    limits.max_tag = 5;
    plugin->cls.get_limits(nullptr, &limits);
    CHECK(limits.max_tag == 0);
    CHECK(limits.size == sizeof limits);

    void* plugin_data = &limits;
    void* buffer = plugin->message.buf_alloc(nullptr, 100, 0, &plugin_data);
    REQUIRE(buffer != nullptr);
    CHECK(plugin_data == nullptr);
    std::memset(buffer, 1, 100);
    plugin->message.buf_free(nullptr, buffer, nullptr);
    void* memory = plugin->memory.alloc(nullptr, 5000);
    REQUIRE(memory != nullptr);
    CHECK(static_cast<char*>(memory)[4999] == 0);
    plugin->memory.free(nullptr, memory, 5000);
}

TEST_CASE("an older plugin has shorter tables, which are read no further") {
    na_plugin_class_ops ops = minimal_class_ops();
    // What lies behind the size that it states is not its table.
    ops.size = offsetof(na_plugin_class_ops, has_feature);
    ops.has_feature = [](void*, unsigned long) { return true; };
    na_plugin table = minimal(ops);
    table.size = offsetof(na_plugin, forked);
    table.forked = [] { std::abort(); };
    std::string why;
    const auto plugin = accept_plugin(&table, &why);
    REQUIRE(plugin != nullptr);
    CHECK_FALSE(plugin->cls.has_feature(nullptr, 0));
    plugin->forked();
}

}  // namespace
}  // namespace cinnabar::na
