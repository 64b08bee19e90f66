// SPDX-License-Identifier: BSD-3-Clause
// A process that forks: in the child every net of the parent is dead but can be closed, in the
// parent nothing changes, and the child's end is not taken for the parent's.
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/net.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::conformance;

CINNABAR_CONFORMANCE("a forked child closes what it inherited and the parent works on") {
    Pair pair(transport);
    exchange(pair);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const bool dead = NA_Poll(pair.a.cls(), pair.a.context(), nullptr) == NA_FAULT;
        const bool closed = NA_Context_destroy(pair.a.cls(), pair.a.context()) == NA_SUCCESS &&
                            NA_Finalize(pair.a.cls()) == NA_SUCCESS;
        // A net of its own works.
        na_class_t* own = NA_Initialize(transport.info, true);
        const bool opened = own != nullptr && NA_Finalize(own) == NA_SUCCESS;
        ::_exit((dead ? 0 : 1) | (closed ? 0 : 2) | (opened ? 0 : 4));
    }
    exchange(pair);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    for (int i = 0; i < 10; ++i)
        exchange(pair);
}
