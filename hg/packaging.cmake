# SPDX-License-Identifier: BSD-3-Clause
# What `cmake --install` puts where: the libraries, the public headers flat in the include directory,
# the CMake package and the pkg-config files, all named as Mercury names them. Nothing in it depends
# on the prefix, so that an installed tree can be moved, and installed to any place by --prefix.

set(libraries na mercury mercury_util)
set(layers na hg hl/request)
file(GLOB public_headers CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/na/include/*.h ${PROJECT_SOURCE_DIR}/hg/include/*.h
     ${PROJECT_SOURCE_DIR}/bulk/include/*.h ${PROJECT_SOURCE_DIR}/hl/include/*.h)
install(FILES ${public_headers} ${PROJECT_BINARY_DIR}/na/include/na_config.h
              ${PROJECT_BINARY_DIR}/hg/include/mercury_config.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# Symbols: nothing but the C API leaves a library.
foreach(target layer IN ZIP_LISTS libraries layers)
  set(map ${PROJECT_SOURCE_DIR}/${layer}/exports.map)
  target_link_options(${target} PRIVATE -Wl,--version-script=${map})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${map})
endforeach()

# The linker of a user's program and the loader find libna beside libmercury.
set_target_properties(mercury mercury_util PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS ${libraries} EXPORT mercury-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/mercury)
set(package_out ${PROJECT_BINARY_DIR}/package)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/mercury-config.cmake.in
                              ${package_out}/mercury-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${package_out}/mercury-config-version.cmake
                                 VERSION ${PROJECT_VERSION} COMPATIBILITY AnyNewerVersion)
install(EXPORT mercury-targets DESTINATION ${package_dir})
install(FILES ${package_out}/mercury-config.cmake ${package_out}/mercury-config-version.cmake
        DESTINATION ${package_dir})

set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH prefix_from_pkgconfig
     ${CMAKE_INSTALL_PREFIX}/${pkgconfig_dir} ${CMAKE_INSTALL_PREFIX})
get_target_property(NA_VERSION na VERSION)
get_target_property(HG_UTIL_VERSION mercury_util VERSION)
configure_file(${PROJECT_SOURCE_DIR}/na/na.pc.in ${package_out}/na.pc @ONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/mercury.pc.in ${package_out}/mercury.pc @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/hl/request/mercury_util.pc.in ${package_out}/mercury_util.pc @ONLY)
install(FILES ${package_out}/na.pc ${package_out}/mercury.pc ${package_out}/mercury_util.pc
        DESTINATION ${pkgconfig_dir})

# For authors of plugins: the SDK, its headers under the paths that they have here. A component of the
# package, since it needs fmt, which users of the libraries do not.
set(sdk_include ${CMAKE_INSTALL_INCLUDEDIR}/cinnabar-na-sdk)
foreach(folder IN ITEMS base sdk)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/na/${folder} DESTINATION ${sdk_include}/na
          FILES_MATCHING PATTERN "*.hpp")
endforeach()
foreach(target IN ITEMS na_base na_sdk)
  target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${sdk_include}>
                                                 $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} INTERFACE cxx_std_20)
endforeach()
install(TARGETS na_base na_sdk EXPORT na-sdk-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT na-sdk-targets NAMESPACE cinnabar:: DESTINATION ${package_dir})

# `cpack -G DEB` in a build folder: one package with all that is installed, whose dependencies are those
# of its libraries.
set(CPACK_PACKAGE_NAME cinnabar)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR Cinnabar)
set(CPACK_PACKAGE_CONTACT "The Cinnabar developers <cinnabar@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
# mercury_macros.h includes Boost.Preprocessor.
set(CPACK_DEBIAN_PACKAGE_DEPENDS libboost-dev)
set(CPACK_GENERATOR "TGZ;DEB")
include(CPack)
