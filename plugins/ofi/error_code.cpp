// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/error_code.hpp"

#include <rdma/fi_errno.h>

namespace cinnabar::ofi {

namespace {

struct Row {
    int error;
    na_return_t code;
};

constexpr Row table[] = {
    {FI_SUCCESS, NA_SUCCESS},
    {FI_EPERM, NA_PERMISSION},
    {FI_EACCES, NA_PERMISSION},
    {FI_ENOENT, NA_NOENTRY},
    {FI_EINTR, NA_INTERRUPT},
    {FI_EAGAIN, NA_AGAIN},
    {FI_EBUSY, NA_BUSY},
    {FI_ENOMEM, NA_NOMEM},
    {FI_ENOSPC, NA_NOMEM},
    {FI_EMFILE, NA_AGAIN},
    {FI_EFAULT, NA_FAULT},
    {FI_ENODEV, NA_NODEV},
    {FI_EINVAL, NA_INVALID_ARG},
    {FI_EKEYREJECTED, NA_INVALID_ARG},
    {FI_ENOKEY, NA_INVALID_ARG},
    {FI_EMSGSIZE, NA_MSGSIZE},
    {FI_ETOOSMALL, NA_OVERFLOW},
    {FI_ETRUNC, NA_MSGSIZE},
    {FI_EOVERRUN, NA_OVERFLOW},
    {FI_ENOPROTOOPT, NA_PROTONOSUPPORT},
    {FI_EOPNOTSUPP, NA_OPNOTSUPPORTED},
    {FI_ENOSYS, NA_OPNOTSUPPORTED},
    {FI_EADDRINUSE, NA_ADDRINUSE},
    {FI_EADDRNOTAVAIL, NA_ADDRNOTAVAIL},
    {FI_ENETDOWN, NA_HOSTUNREACH},
    {FI_ENETUNREACH, NA_HOSTUNREACH},
    {FI_ECONNABORTED, NA_HOSTUNREACH},
    {FI_ECONNRESET, NA_HOSTUNREACH},
    {FI_ENOTCONN, NA_HOSTUNREACH},
    {FI_ESHUTDOWN, NA_HOSTUNREACH},
    {FI_ECONNREFUSED, NA_HOSTUNREACH},
    {FI_EHOSTDOWN, NA_HOSTUNREACH},
    {FI_EHOSTUNREACH, NA_HOSTUNREACH},
    {FI_ETIMEDOUT, NA_HOSTUNREACH},
    {FI_EREMOTEIO, NA_HOSTUNREACH},
    {FI_EIO, NA_HOSTUNREACH},
    {32 /* EPIPE */, NA_HOSTUNREACH},
    // Nothing is cancelled through the library: it says so of what a lost connection leaves.
    {FI_ECANCELED, NA_HOSTUNREACH},
};

}  // namespace

na_return_t code_of_fi(int error) noexcept {
    const int wanted = error < 0 ? -error : error;
    for (const Row& row : table)
        if (row.error == wanted) return row.code;
    return NA_PROTOCOL_ERROR;
}

na_return_t loss_of_fi(int error) noexcept {
    return code_of_fi(error) == NA_NOMEM ? NA_NOMEM : NA_HOSTUNREACH;
}

bool is_again(long ret) noexcept {
    return ret == -FI_EAGAIN || ret == -FI_ENOMEM;
}

}  // namespace cinnabar::ofi
