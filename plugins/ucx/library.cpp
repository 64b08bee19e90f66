// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ucx/library.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>

#include "na/base/log.hpp"
#include "plugins/ucx/greeting.hpp"
#include "plugins/ucx/lanes.hpp"

// UCX keeps its global settings in headers that not every package has.
#if __has_include(<ucs/debug/log_def.h>) && __has_include(<ucm/api/ucm.h>)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <ucm/api/ucm.h>
#include <ucs/config/global_opts.h>
#include <ucs/debug/debug.h>
#include <ucs/debug/log_def.h>
#pragma GCC diagnostic pop
#define CINNABAR_HAS_UCS 1
#endif

namespace cinnabar::ucx {

namespace {

constexpr std::array protocols = {
    std::string_view("all"),       std::string_view("tcp"),      std::string_view("sm"),
    std::string_view("shm"),       std::string_view("posix"),    std::string_view("sysv"),
    std::string_view("cma"),       std::string_view("knem"),     std::string_view("xpmem"),
    std::string_view("self"),      std::string_view("ib"),       std::string_view("rc"),
    std::string_view("rc_v"),      std::string_view("rc_x"),     std::string_view("rc_verbs"),
    std::string_view("rc_mlx5"),   std::string_view("ud"),       std::string_view("ud_v"),
    std::string_view("ud_x"),      std::string_view("ud_verbs"), std::string_view("ud_mlx5"),
    std::string_view("dc"),        std::string_view("dc_x"),     std::string_view("dc_mlx5"),
    std::string_view("cuda_copy"), std::string_view("cuda_ipc"), std::string_view("rocm_copy"),
    std::string_view("rocm_ipc"),  std::string_view("ugni"),
};

// What the environment says explicitly stays as it is.
bool users(const char* variable) noexcept {
    return std::getenv(variable) != nullptr;
}

template <class Test>
bool any_name(std::string_view list, Test&& test) noexcept {
    for (;;) {
        const std::size_t comma = list.find(',');
        if (test(list.substr(0, comma))) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

#ifdef CINNABAR_HAS_UCS

ucs_log_func_rc_t take_line(const char*, unsigned, const char*, ucs_log_level_t level,
                            const ucs_log_component_config_t*, const char* format, va_list ap) {
    const LogLevel ours = level == UCS_LOG_LEVEL_FATAL ? LogLevel::error : LogLevel::debug;
    if (level <= UCS_LOG_LEVEL_WARN && LogSink::enabled(ours, log_name)) {
        std::array<char, 1024> text;
        va_list copy;
        va_copy(copy, ap);
        (void)std::vsnprintf(text.data(), text.size(), format, copy);
        va_end(copy);
        log(ours, log_name, "UCX: {}", text.data());
    }
    return UCS_LOG_FUNC_RC_STOP;
}

// The way of UCX's lines into our log ends before this plugin's code goes.
struct Quiet {
    bool on = false;
    ~Quiet() {
        if (on) ucs_log_pop_handler();
    }
};
Quiet quiet;

void settle() noexcept {
    static std::once_flag once;
    std::call_once(once, [] {
        if (!users("UCX_LOG_LEVEL")) {
            ucs_log_push_handler(take_line);
            quiet.on = true;
        }
        if (!users("UCX_HANDLE_ERRORS") && !users("UCX_ERROR_SIGNALS")) {
            (void)ucs_global_opts_set_value("HANDLE_ERRORS", "none");
            for (const int signal : {SIGILL, SIGSEGV, SIGBUS, SIGFPE})
                ucs_debug_disable_signal(signal);
        }
        if (!users("UCX_MEM_EVENTS")) {
            ucm_global_config_t memory = ucm_global_opts;
            memory.enable_events = 0;
            memory.enable_malloc_hooks = 0;
            memory.enable_malloc_reloc = 0;
            ucm_set_global_opts(&memory);
        }
        if (!users("UCX_MEMTYPE_CACHE")) (void)ucs_global_opts_set_value("MEMTYPE_CACHE", "n");
    });
}

#else

void settle() noexcept {}

#endif

// A network of UCX needs its thread, which a fork does not copy though UCX believes it did.
bool used_before_fork() noexcept {
    static const pid_t first = ::getpid();
    return ::getpid() != first;
}

bool only_memory(std::string_view protocol) noexcept {
    return !any_name(protocol, [](std::string_view name) {
        return name != "sm" && name != "shm" && name != "posix" && name != "sysv" &&
               name != "self" && name != "cma";
    });
}

// Errors of the configuration are the user's to see, through the result of ucp_init().
void modify(ucp_config_t* config, const char* name, const std::string& value) noexcept {
    const ucs_status_t status = ucp_config_modify(config, name, value.c_str());
    if (status != UCS_OK)
        log_debug(log_name, "UCX has no {}={}: {}", name, value, ucs_status_string(status));
}

}  // namespace

bool known_protocol(std::string_view protocol) noexcept {
    return !any_name(protocol, [](std::string_view name) {
        return std::find(protocols.begin(), protocols.end(), name) == protocols.end();
    });
}

na_return_t code_of(ucs_status_t status) noexcept {
    switch (status) {
        case UCS_OK:
            return NA_SUCCESS;
        case UCS_ERR_NO_MEMORY:
            return NA_NOMEM;
        case UCS_ERR_NO_RESOURCE:
            return NA_AGAIN;
        case UCS_ERR_INVALID_PARAM:
        case UCS_ERR_INVALID_ADDR:
            return NA_INVALID_ARG;
        case UCS_ERR_MESSAGE_TRUNCATED:
            return NA_MSGSIZE;
        case UCS_ERR_NO_DEVICE:
            return NA_NODEV;
        case UCS_ERR_UNSUPPORTED:
        case UCS_ERR_NOT_IMPLEMENTED:
            return NA_OPNOTSUPPORTED;
        case UCS_ERR_IO_ERROR:
            return NA_IO_ERROR;
        case UCS_ERR_CANCELED:
        case UCS_ERR_CONNECTION_RESET:
        case UCS_ERR_NOT_CONNECTED:
        case UCS_ERR_ENDPOINT_TIMEOUT:
        case UCS_ERR_TIMED_OUT:
        case UCS_ERR_UNREACHABLE:
        case UCS_ERR_REJECTED:
            return NA_HOSTUNREACH;
        default:
            return NA_PROTOCOL_ERROR;
    }
}

std::uint64_t host_number() {
    std::string facts;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> facts;
    for (const char* name : {"/proc/self/ns/ipc", "/proc/self/ns/pid"}) {
        struct stat info {};
        if (::stat(name, &info) == 0) facts += fmt::format(" {}", info.st_ino);
    }
    return checksum(std::as_bytes(std::span(facts)));
}

Library::~Library() {
    if (context_ != nullptr) ucp_cleanup(context_);
}

Status Library::open(const std::string& protocol, bool wakeup) {
    settle();
    ucp_config_t* config = nullptr;
    ucs_status_t status = ucp_config_read(nullptr, nullptr, &config);
    if (status != UCS_OK)
        return log_error(code_of(status), log_name, "UCX's configuration: {}",
                         ucs_status_string(status));
    const bool forked = used_before_fork();
    if (forked && !only_memory(protocol) && protocol != "all") {
        ucp_config_release(config);
        return log_error(NA_OPNOTSUPPORTED, log_name,
                         "UCX was used before this process was forked: in it, only memory works");
    }
    // "all" is UCX's default, which the environment may narrow.
    if (forked && protocol == "all")
        modify(config, "TLS", "sm,self");
    else if (protocol == "tcp" || protocol == "sm" || protocol == "shm")
        modify(config, "TLS", protocol + ",self");
    else if (protocol != "all")
        modify(config, "TLS", protocol);
    // Lanes over memory are for those, too, who ask UCX to end what a lost peer leaves.
    if (!users("UCX_MM_ERROR_HANDLING")) modify(config, "MM_ERROR_HANDLING", "y");
    // So that a chunk of a transfer is one piece for the network too.
    if (!users("UCX_TCP_TX_SEG_SIZE")) modify(config, "TCP_TX_SEG_SIZE", "64k");
    // The control sockets tell of lost peers, without a timer.
    if (!users("UCX_KEEPALIVE_INTERVAL")) modify(config, "KEEPALIVE_INTERVAL", "inf");
    ucp_params_t params{};
    params.field_mask = UCP_PARAM_FIELD_FEATURES | UCP_PARAM_FIELD_MT_WORKERS_SHARED;
    params.features = UCP_FEATURE_AM;
    if (wakeup) params.features |= UCP_FEATURE_WAKEUP;
    params.mt_workers_shared = 1;
    status = ucp_init(&params, config, &context_);
    // Who asks for them where there are none gets an emulation that serves whatever address a peer
    // names.
    one_sided_ =
        status == UCS_OK &&
        kind_of_lanes(printed([&](std::FILE* to) { ucp_context_print_info(context_, to); }),
                      "resource ") == Lanes::one_sided;
    if (one_sided_) {
        ucp_cleanup(context_);
        params.features |= UCP_FEATURE_RMA;
        status = ucp_init(&params, config, &context_);
    }
    ucp_config_release(config);
    if (status == UCS_OK) return NA_SUCCESS;
    context_ = nullptr;
    return log_error(status == UCS_ERR_NO_DEVICE ? NA_PROTONOSUPPORT : code_of(status), log_name,
                     "UCX cannot be opened for \"{}\": {}", protocol, ucs_status_string(status));
}

}  // namespace cinnabar::ucx
