// SPDX-License-Identifier: BSD-3-Clause
#include "hl/engine/configuration.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "cinnabar/monitor.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

using nlohmann::json;

// A unit with less cannot even report what is wrong.
constexpr std::size_t least_stack = 16 * 1024;
constexpr std::size_t most_streams = 4096;

Error wrong(const std::string& key, const std::string& what) {
    return {Errc::invalid, HG_INVALID_ARG, "configuration: " + key + ": " + what, false};
}

[[noreturn]] void refuse(const std::string& key, const std::string& what) {
    throw Failure(wrong(key, what));
}

std::string element(const std::string& list, std::size_t index) {
    return list + "[" + std::to_string(index) + "]";
}

void convert(const json& value, const std::string& key, bool& to) {
    if (!value.is_boolean()) refuse(key, "neither true nor false");
    to = value.get<bool>();
}

void convert(const json& value, const std::string& key, std::string& to) {
    if (!value.is_string()) refuse(key, "not a string");
    to = value.get<std::string>();
    if (to.find('\0') != std::string::npos) refuse(key, "has a character that is no text");
}

template <class T>
requires std::is_unsigned_v<T>
void convert(const json& value, const std::string& key, T& to) {
    if (!value.is_number_unsigned()) refuse(key, "not a whole number from 0 on");
    const auto number = value.get<std::uint64_t>();
    if (number > std::numeric_limits<T>::max()) refuse(key, "too large");
    to = static_cast<T>(number);
}

void convert(const json& value, const std::string& key, Clock::duration& to) {
    constexpr double most = 1e9;
    if (!value.is_number()) refuse(key, "not a number of seconds");
    const auto seconds = value.get<double>();
    if (!(seconds >= 0 && seconds <= most)) refuse(key, "not between 0 and 1e9 seconds");
    to = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

void convert(const json& value, const std::string& key, PoolOptions& to);
void convert(const json& value, const std::string& key, StreamOptions& to);
void convert(const json& value, const std::string& key, NetOptions& to);
template <class T>
void convert(const json& value, const std::string& key, std::vector<T>& to);

// An object whose keys are taken one by one; what is left at the end is unknown.
class Object {
public:
    Object(const json& value, std::string key) : value_(value), key_(std::move(key)) {
        if (!value.is_object()) refuse(key_.empty() ? "the text" : key_, "not an object");
    }
    template <class T>
    Object& operator()(const char* name, T& to) {
        if (const json* found = find(name)) convert(*found, path(name), to);
        return *this;
    }
    // One of a few words.
    template <class T>
    Object& operator()(const char* name, T& to,
                       std::initializer_list<std::pair<const char*, T>> words) {
        const json* found = find(name);
        if (found == nullptr) return *this;
        std::string known;
        for (const auto& [word, meaning] : words) {
            if (*found == word) {
                to = meaning;
                return *this;
            }
            known += (known.empty() ? "\"" : ", \"") + std::string(word) + '"';
        }
        refuse(path(name), "none of " + known);
    }
    const json* find(const char* name) {
        known_.insert(name);
        const auto found = value_.find(name);
        return found != value_.end() ? &*found : nullptr;
    }
    std::string path(const std::string& name) const {
        return key_.empty() ? name : key_ + "." + name;
    }
    void end() const {
        for (const auto& item : value_.items())
            if (!known_.contains(item.key())) refuse(path(item.key()), "unknown key");
    }

private:
    const json& value_;
    std::string key_;
    std::set<std::string> known_;
};

void convert(const json& value, const std::string& key, PoolOptions& to) {
    Object(value, key)("name", to.name)("stack_size", to.stack_size)("sticky", to.sticky).end();
}

void convert(const json& value, const std::string& key, StreamOptions& to) {
    Object(value, key)("name", to.name)("pools", to.pools).end();
}

constexpr std::initializer_list<std::pair<const char*, Checksum>> checksums = {
    {"none", Checksum::none}, {"headers", Checksum::headers}, {"payload", Checksum::payload}};

void convert(const json& value, const std::string& key, NetOptions& to) {
    Object(value, key)("ip_subnet", to.ip_subnet)("auth_key", to.auth_key)(
        "sm_info_string", to.sm_info_string)("max_unexpected_size", to.max_unexpected_size)(
        "max_expected_size", to.max_expected_size)("request_post_init", to.request_post_init)(
        "checksum_level", to.checksum_level, checksums)("no_bulk_eager", to.no_bulk_eager)("stats",
                                                                                           to.stats)
        .end();
}

template <class T>
void convert(const json& value, const std::string& key, std::vector<T>& to) {
    if (!value.is_array()) refuse(key, "not a list");
    to.clear();
    for (std::size_t i = 0; i < value.size(); ++i)
        convert(value[i], element(key, i), to.emplace_back());
}

constexpr std::initializer_list<std::pair<const char*, Progress>> progresses = {
    {"own_stream", Progress::own_stream}, {"shared", Progress::shared}};

void read_monitor(Object& object, std::shared_ptr<Monitor>& monitor) {
    bool counted = false;
    if (object.find("monitor") == nullptr) return;
    object("monitor", counted, {{"none", false}, {"statistics", true}});
    monitor = counted ? std::make_shared<Statistics>() : nullptr;
}

Configuration read(const json& document, const EngineOptions& given) {
    Configuration to{{}, given};
    EngineOptions& options = to.options;
    Object object(document, "");
    object("info", to.info)("listen", options.listen)("auto_sm", options.auto_sm)(
        "busy", options.busy)("introspection", options.introspection)(
        "progress", options.progress, progresses)("drain_seconds", options.drain)(
        "pools", options.pools)("net", options.net);
    read_monitor(object, options.monitor);
    if (const json* streams = object.find("streams")) {
        // As many for all pools, or which for which.
        options.stream_list.clear();
        options.streams = 0;
        if (streams->is_array())
            convert(*streams, "streams", options.stream_list);
        else
            convert(*streams, "streams", options.streams);
    }
    object.end();
    if (to.info.empty()) refuse("info", "missing");
    return to;
}

}  // namespace

Result<Configuration> read_json(const std::string& text, const EngineOptions& given) {
    try {
        return read(json::parse(text), given);
    } catch (const json::exception& error) {
        return wrong("the text", error.what());
    } catch (const Failure& failure) {
        return failure.error();
    }
}

std::string write_json(const Configuration& configuration) {
    const EngineOptions& options = configuration.options;
    const auto word = [](const auto& words, auto meaning) {
        return std::find_if(words.begin(), words.end(),
                            [&](const auto& each) { return each.second == meaning; })
            ->first;
    };
    json pools = json::array();
    for (const PoolOptions& pool : options.pools)
        pools.push_back(
            {{"name", pool.name}, {"stack_size", pool.stack_size}, {"sticky", pool.sticky}});
    json streams = json::array();
    for (const StreamOptions& stream : options.stream_list)
        streams.push_back({{"name", stream.name}, {"pools", stream.pools}});
    const NetOptions& net = options.net;
    json document = {{"info", configuration.info},
                     {"listen", options.listen},
                     {"auto_sm", options.auto_sm},
                     {"busy", options.busy},
                     {"introspection", options.introspection},
                     {"progress", word(progresses, options.progress)},
                     {"drain_seconds", std::chrono::duration<double>(options.drain).count()},
                     {"pools", pools},
                     {"streams", streams},
                     {"net",
                      {{"ip_subnet", net.ip_subnet},
                       {"auth_key", net.auth_key},
                       {"sm_info_string", net.sm_info_string},
                       {"max_unexpected_size", net.max_unexpected_size},
                       {"max_expected_size", net.max_expected_size},
                       {"request_post_init", net.request_post_init},
                       {"checksum_level", word(checksums, net.checksum_level)},
                       {"no_bulk_eager", net.no_bulk_eager},
                       {"stats", net.stats}}}};
    if (options.monitor == nullptr)
        document["monitor"] = "none";
    else if (dynamic_cast<const Statistics*>(options.monitor.get()) != nullptr)
        document["monitor"] = "statistics";
    return document.dump(2, ' ', false, json::error_handler_t::replace);
}

Result<void> check(const EngineOptions& given) {
    if (given.streams > most_streams || given.stream_list.size() > most_streams)
        return wrong("streams", "more than " + std::to_string(most_streams));
    const EngineOptions options = with_lists(given);
    std::set<std::string> names;
    std::set<std::string> drained;
    for (std::size_t i = 0; i < options.pools.size(); ++i) {
        const PoolOptions& pool = options.pools[i];
        if (!names.insert(pool.name).second)
            return wrong(element("pools", i) + ".name", "there are two pools " + pool.name);
        if (pool.stack_size < least_stack)
            return wrong(element("pools", i) + ".stack_size",
                         "less than " + std::to_string(least_stack));
    }
    for (std::size_t i = 0; i < options.stream_list.size(); ++i) {
        const StreamOptions& stream = options.stream_list[i];
        const std::string key = element("streams", i) + ".pools";
        if (stream.pools.empty()) return wrong(key, "a stream needs a pool");
        for (std::size_t j = 0; j < stream.pools.size(); ++j) {
            if (!names.contains(stream.pools[j]))
                return wrong(element(key, j), "there is no pool " + stream.pools[j]);
            drained.insert(stream.pools[j]);
        }
    }
    // Without any streams the program brings its own.
    for (std::size_t i = 0; i < options.pools.size() && !drained.empty(); ++i)
        if (!drained.contains(options.pools[i].name))
            return wrong(element("pools", i), "no stream drains " + options.pools[i].name);
    return {};
}

EngineOptions with_lists(EngineOptions options) {
    if (options.pools.empty()) options.pools.push_back(options.pool);
    options.pool = options.pools.front();
    if (options.stream_list.empty()) {
        const unsigned least = options.progress == Progress::shared ? 1 : 0;
        std::vector<std::string> all;
        for (const PoolOptions& pool : options.pools)
            all.push_back(pool.name);
        options.stream_list.assign(std::max(options.streams, least),
                                   {options.pool.name, std::move(all)});
    }
    options.streams = static_cast<unsigned>(options.stream_list.size());
    return options;
}

std::vector<Pool> make_pools(const EngineOptions& options) {
    std::vector<Pool> pools;
    for (const PoolOptions& each : options.pools)
        pools.emplace_back(each);
    return pools;
}

hg_init_info init_info(const EngineOptions& options) {
    const auto text = [](const std::string& given) {
        return given.empty() ? nullptr : given.c_str();
    };
    const NetOptions& net = options.net;
    hg_init_info init = HG_INIT_INFO_INITIALIZER;
    init.auto_sm = options.auto_sm ? 1 : 0;
    init.sm_info_string = text(net.sm_info_string);
    init.request_post_init = net.request_post_init;
    init.no_bulk_eager = net.no_bulk_eager ? 1 : 0;
    init.stats = net.stats ? 1 : 0;
    init.checksum_level = net.checksum_level == Checksum::payload   ? HG_CHECKSUM_RPC_PAYLOAD
                          : net.checksum_level == Checksum::headers ? HG_CHECKSUM_RPC_HEADERS
                                                                    : HG_CHECKSUM_NONE;
    init.na_init_info.ip_subnet = text(net.ip_subnet);
    init.na_init_info.auth_key = text(net.auth_key);
    init.na_init_info.max_unexpected_size = net.max_unexpected_size;
    init.na_init_info.max_expected_size = net.max_expected_size;
    init.na_init_info.progress_mode = options.busy ? NA_NO_BLOCK : 0;
    return init;
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
