# SPDX-License-Identifier: BSD-3-Clause
# Writes OUT with the commit of SOURCE, if it says something else: run at every build.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
                RESULT_VARIABLE failed)
if(failed)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define CINNABAR_COMMIT \"${commit}\"\n")
