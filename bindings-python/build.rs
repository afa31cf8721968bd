//! Lets the module find Python's own symbols when it is loaded.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
