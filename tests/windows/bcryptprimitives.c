/* Debian's wine has no bcryptprimitives.dll, from which Rust's standard library takes its random numbers. This
 * stands in for it in the test, with wine's own generator behind it. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T length) {
    return RtlGenRandom(bytes, (ULONG)length);
}
