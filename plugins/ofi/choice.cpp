// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/choice.hpp"

#include <fmt/format.h>

#include <set>

namespace cinnabar::ofi {

namespace {

// Empty: it fits.
std::string objection(const Candidate& candidate, const Wish& wish) {
    if (candidate.provider != wish.provider)
        return fmt::format("the provider is not {}", wish.provider);
    if (!candidate.lacks.empty()) return candidate.lacks;
    if (!wish.domain.empty() && candidate.domain != wish.domain)
        return fmt::format("the domain is not {}", wish.domain);
    if (wish.ip.has_value()) {
        if (!candidate.ip.has_value()) return "it has no IP address";
        if (*candidate.ip != *wish.ip)
            return fmt::format("its address is not {}", wish.ip->to_string());
    }
    if (!candidate.ordered) return "it does not keep the order of messages";
    return {};
}

}  // namespace

std::optional<std::size_t> choose(std::span<const Candidate> candidates, const Wish& wish,
                                  std::string& why) {
    std::set<std::string> said;
    why = candidates.empty() ? "the library offers nothing" : "";
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const Candidate& candidate = candidates[i];
        const std::string reason = objection(candidate, wish);
        if (reason.empty()) return i;
        // The library may offer a device in several ways, of which all we look at is the same.
        const std::string line =
            fmt::format("{} domain {}{}: {}", candidate.provider, candidate.domain,
                        candidate.ip ? " at " + candidate.ip->to_string() : "", reason);
        if (said.insert(line).second) why += (why.empty() ? "" : "; ") + line;
    }
    return std::nullopt;
}

}  // namespace cinnabar::ofi
