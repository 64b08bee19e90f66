// SPDX-License-Identifier: BSD-3-Clause
// Flights for re-use, and the list of those that a connection has with UCX. One for each context,
// used inside its serial; frees them all with itself.
#pragma once

#include <memory>
#include <vector>

#include "plugins/ucx/connection.hpp"

namespace cinnabar::ucx {

class Flights {
public:
    // nullptr: out of memory.
    Flight* take() noexcept;
    void give_back(Flight& flight) noexcept {
        flight.op = nullptr;
        flight.bytes = nullptr;
        flight.region.reset();
        flight.pins = false;
        flight.size = 0;
        flight.next = free_;
        free_ = &flight;
    }
    // UCX holds the flight from now on.
    static void depart(Flight& flight, Connection& connection) noexcept {
        flight.connection = &connection;
        flight.previous = nullptr;
        flight.next = connection.flights;
        if (flight.next != nullptr) flight.next->previous = &flight;
        connection.flights = &flight;
    }
    // UCX has given it back.
    void land(Flight& flight) noexcept {
        (flight.previous != nullptr ? flight.previous->next : flight.connection->flights) =
            flight.next;
        if (flight.next != nullptr) flight.next->previous = flight.previous;
        give_back(flight);
    }

private:
    Flight* free_ = nullptr;
    std::vector<std::unique_ptr<Flight>> all_;
};

}  // namespace cinnabar::ucx
