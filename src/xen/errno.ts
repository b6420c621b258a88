/*
 * Error numbers as hypercalls and xenstore report them (Xen public headers, errno.h). Hypercalls return them negated:
 * a result below zero is an error, anything else is the value asked for.
 */
export const ENOENT = 2;
export const ESRCH = 3;
export const E2BIG = 7;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EBUSY = 16;
export const EEXIST = 17;
export const EINVAL = 22;
export const ENOSPC = 28;
