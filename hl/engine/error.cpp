// SPDX-License-Identifier: BSD-3-Clause
#include "cinnabar/error.hpp"

#include <mercury.h>

namespace cinnabar {
inline namespace v1 {
namespace {

Errc kind_of(hg_return_t code) noexcept {
    switch (code) {
        case HG_NOENTRY:
            return Errc::unknown_procedure;
        case HG_TIMEOUT:
            return Errc::timeout;
        case HG_CANCELED:
            return Errc::canceled;
        case HG_HOSTUNREACH:
        case HG_ADDRNOTAVAIL:
        case HG_NODEV:
        case HG_IO_ERROR:
        case HG_NA_ERROR:
        case HG_HOSTFIREWALL:
            return Errc::peer_lost;
        case HG_NOMEM:
            return Errc::no_memory;
        case HG_INVALID_ARG:
        case HG_PROTONOSUPPORT:
            return Errc::invalid;
        default:
            return Errc::other;
    }
}

}  // namespace

const char* to_string(Errc code) noexcept {
    switch (code) {
        case Errc::unknown_procedure:
            return "unknown_procedure";
        case Errc::signature_mismatch:
            return "signature_mismatch";
        case Errc::bad_arguments:
            return "bad_arguments";
        case Errc::handler_failed:
            return "handler_failed";
        case Errc::refused:
            return "refused";
        case Errc::bad_result:
            return "bad_result";
        case Errc::timeout:
            return "timeout";
        case Errc::canceled:
            return "canceled";
        case Errc::peer_lost:
            return "peer_lost";
        case Errc::closed:
            return "closed";
        case Errc::invalid:
            return "invalid";
        case Errc::no_memory:
            return "no_memory";
        case Errc::other:
            break;
    }
    return "other";
}

std::string Error::message() const {
    std::string said = to_string(code);
    if (remote) said += " at the peer";
    if (!text.empty()) said += ": " + text;
    return said;
}

Error error_of(hg_return_t code, const std::string& what) {
    const char* name = HG_Error_to_string(code);
    return {kind_of(code), code, what + ": " + (name != nullptr ? name : "unknown code"), false};
}

}  // namespace v1
}  // namespace cinnabar
