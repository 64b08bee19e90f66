// SPDX-License-Identifier: BSD-3-Clause
// hg_info: lists what can be opened on this machine, as a table, CSV or JSON, and says of a string
// what the library would make of it. For people and for scripts; the exit status is 0 if there is
// something, 1 if not.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "hl/tools/explain.hpp"
#include "hl/tools/protocols.hpp"
#include "mercury.h"

namespace cinnabar::tools {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    bool csv = false;
    bool json = false;
    bool silent = false;
    std::string filter{};
    std::string explained{};
};

Json as_json(const Protocol& protocol) {
    return {{"class", protocol.class_name},
            {"protocol", protocol.protocol},
            {"device", protocol.device}};
}

void print_table(const std::vector<Protocol>& list) {
    std::size_t wide[3] = {8, 8, 6};
    for (const Protocol& each : list) {
        wide[0] = std::max(wide[0], each.class_name.size());
        wide[1] = std::max(wide[1], each.protocol.size());
        wide[2] = std::max(wide[2], each.device.size());
    }
    const auto print = [&](const Protocol& each) {
        fmt::print("{:<{}}  {:<{}}  {}\n", each.class_name, wide[0], each.protocol, wide[1],
                   each.device);
    };
    print({"Class", "Protocol", "Device"});
    fmt::print("{}\n", std::string(wide[0] + wide[1] + wide[2] + 4, '-'));
    for (const Protocol& each : list)
        print(each);
}

int list(const Options& options) {
    const std::vector<Protocol> found = list_protocols(options.filter);
    if (options.silent) return found.empty() ? 1 : 0;
    if (options.json) {
        Json array = Json::array();
        for (const Protocol& each : found)
            array.push_back(as_json(each));
        fmt::print("{}\n", Json{{"protocols", array}}.dump(2));
    } else if (options.csv) {
        fmt::print("class,protocol,device\n");
        for (const Protocol& each : found)
            fmt::print("{},{},{}\n", each.class_name, each.protocol, each.device);
    } else if (found.empty()) {
        fmt::print(stderr, "hg_info: nothing was found for \"{}\"\n", options.filter);
    } else {
        print_table(found);
    }
    return found.empty() ? 1 : 0;
}

Json as_json(const Explanation& result) {
    Json json{{"asked", result.text}, {"opened", result.opened}, {"called", result.called}};
    if (result.opened || result.called) {
        json["used"] = as_json(result.used);
        json["address"] = result.address;
    }
    json["others"] = Json::array();
    for (const Passed& other : result.others) {
        json["others"].push_back(as_json(other.protocol));
        json["others"].back()["reason"] = other.reason;
    }
    json["log"] = result.log;
    return json;
}

void print_explanation(const Explanation& result) {
    const Protocol& used = result.used;
    if (result.opened)
        fmt::print("\"{}\" is opened by {}+{}{}\naddress: {}\n", result.text, used.class_name,
                   used.protocol, used.device.empty() ? "" : ", device " + used.device,
                   result.address);
    else if (result.called)
        fmt::print(
            "\"{}\" is no place to listen at here; it is called through {}+{}\naddress: {}\n",
            result.text, used.class_name, used.protocol, result.address);
    else
        fmt::print("\"{}\" cannot be used\n", result.text);
    if (!result.log.empty()) fmt::print("log:\n  {}\n", fmt::join(result.log, "\n  "));
    if (!result.others.empty()) fmt::print("not used:\n");
    for (const Passed& other : result.others)
        fmt::print("  {}+{} {}: {}\n", other.protocol.class_name, other.protocol.protocol,
                   other.protocol.device, other.reason);
}

int explain_string(const Options& options) {
    const Explanation result = explain(options.explained);
    if (options.json)
        fmt::print("{}\n", as_json(result).dump(2));
    else if (!options.silent)
        print_explanation(result);
    return result.opened || result.called ? 0 : 1;
}

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"Lists classes, protocols and devices that can be opened on this machine"};
    unsigned major = 0, minor = 0, patch = 0;
    (void)HG_Version_get(&major, &minor, &patch);
    app.set_version_flag("-V,--version", fmt::format("{}.{}.{}", major, minor, patch));
    auto* csv = app.add_flag("-c,--csv", options.csv, "Print comma-separated values");
    auto* json = app.add_flag("-j,--json", options.json, "Print JSON")->excludes(csv);
    app.add_flag("-s,--silent", options.silent, "Print nothing, only give the exit status")
        ->excludes(csv)
        ->excludes(json);
    auto* filter = app.add_option("info", options.filter,
                                  "Only what this info string could use: [class+]protocol");
    app.add_option("--explain", options.explained,
                   "Say what would be used for this info string or address, and why not the rest")
        ->excludes(filter)
        ->excludes(csv);
    CLI11_PARSE(app, argc, argv);
    return options.explained.empty() ? list(options) : explain_string(options);
}

}  // namespace
}  // namespace cinnabar::tools

int main(int argc, char** argv) {
    try {
        return cinnabar::tools::run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "hg_info: {}\n", error.what());
        return 2;
    }
}
