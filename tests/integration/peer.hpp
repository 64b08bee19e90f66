// SPDX-License-Identifier: BSD-3-Clause
// A server in a process of its own, and the procedures that it offers, which a client registers
// too. Memory that it exposes holds content_of(exposed_size, exposed_seed).
#pragma once

#include <string>

#include "tests/integration/side.hpp"
#include "tests/support/process.hpp"

namespace cinnabar::integration {

inline constexpr std::size_t exposed_size = 64 << 20;
inline constexpr unsigned exposed_seed = 77;

// The ids of what a peer serves, registered at a side without callbacks.
struct Offers {
    explicit Offers(Side& side);
    hg_id_t null;
    hg_id_t echo;     // blob to blob
    hg_id_t keep;     // blob to nothing: not answered before `release` is called
    hg_id_t release;  // answers all that is kept
    hg_id_t expose;   // nothing to blob: the description of its memory
    hg_id_t pull;     // bulk request to number: how many bytes are not as the seed says
};

class Peer {
public:
    explicit Peer(const Setup& setup, const std::string& info = {});
    const std::string& address() const { return address_; }
    test::Process& process() { return process_; }
    // Open descriptors of the process.
    int descriptors();
    // Ends it in order and checks that all was well.
    void end();

private:
    test::Process process_;
    std::string address_;
};

// Calls and waits; checks what comes back. The code of the call.
hg_return_t echo(Side& side, const Address& to, const Offers& offers, std::size_t size);
// The region that a peer exposes.
hg_bulk_t exposed(Side& side, const Address& to, const Offers& offers);

}  // namespace cinnabar::integration
