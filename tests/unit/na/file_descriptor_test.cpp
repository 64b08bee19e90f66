// SPDX-License-Identifier: BSD-3-Clause
// Owned descriptors, and closing those of a shared object in a forked child.
#include "na/base/file_descriptor.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace cinnabar {
namespace {

int open_null() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

TEST_CASE("a descriptor is closed with its owner") {
    const int fd = open_null();
    {
        const FileDescriptor owner(fd);
        CHECK(owner.get() == fd);
        CHECK(static_cast<bool>(owner));
        CHECK(is_open(fd));
    }
    CHECK_FALSE(is_open(fd));
}

TEST_CASE("none is a descriptor too") {
    FileDescriptor none;
    CHECK_FALSE(static_cast<bool>(none));
    none.reset();
    CHECK(none.release() == -1);
    CHECK_FALSE(static_cast<bool>(FileDescriptor(-1)));
}

TEST_CASE("a moved descriptor has one owner") {
    const int first = open_null(), second = open_null();
    FileDescriptor a(first);
    FileDescriptor b(std::move(a));
    CHECK(b.get() == first);
    FileDescriptor c(second);
    c = std::move(b);
    CHECK_FALSE(is_open(second));
    CHECK(c.get() == first);
    FileDescriptor& same = c;
    c = std::move(same);
    CHECK(is_open(first));
}

TEST_CASE("a released descriptor stays open") {
    FileDescriptor owner(open_null());
    const int fd = owner.release();
    owner.reset();
    CHECK(is_open(fd));
    ::close(fd);
}

TEST_CASE("resetting closes the old descriptor") {
    const int first = open_null(), second = open_null();
    FileDescriptor owner(first);
    owner.reset(second);
    CHECK_FALSE(is_open(first));
    CHECK(is_open(second));
}

TEST_CASE("a forked child closes what is owned and nothing else") {
    const FileDescriptor owned(open_null());
    FileDescriptor released(open_null());
    const int plain = open_null();
    const int given_up = released.release();
    const pid_t child = ::fork();
    if (child == 0) {
        close_owned_descriptors();
        ::_exit((is_open(owned.get()) ? 1 : 0) | (is_open(plain) ? 0 : 2) |
                (is_open(given_up) ? 0 : 4));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(is_open(owned.get()));
    ::close(plain);
    ::close(given_up);
}

}  // namespace
}  // namespace cinnabar
