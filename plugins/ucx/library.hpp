// SPDX-License-Identifier: BSD-3-Clause
// UCX itself: what must be said to the library before it is used (it is not to take over signals,
// hook memory calls or print), its context, which is one for each opened net, and its codes in our
// words. A Library may be used by any thread.
#pragma once

#include <ucp/api/ucp.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "na/base/result.hpp"

namespace cinnabar::ucx {

inline constexpr const char* log_name = "na_ucx";

// Whether the protocol of an info string is one that UCX may have: a name as in UCX_TLS, or several
// with commas between.
bool known_protocol(std::string_view protocol) noexcept;

na_return_t code_of(ucs_status_t status) noexcept;

// A number that two processes have in common if they can share memory and see each other's ids: of
// the running kernel and the namespaces.
std::uint64_t host_number();

class Library {
public:
    Library() = default;
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    // NA_PROTONOSUPPORT: UCX has no such transport here. `wakeup`: workers can be slept on.
    Status open(const std::string& protocol, bool wakeup);
    ucp_context_h get() const noexcept { return context_; }
    // Whether a transport of it reads and writes a peer's memory by itself.
    bool one_sided() const noexcept { return one_sided_; }

private:
    ucp_context_h context_ = nullptr;
    bool one_sided_ = false;
};

}  // namespace cinnabar::ucx
