// SPDX-License-Identifier: Apache-2.0
use std::{collections::BTreeMap, path::Path};

use super::*;

/// The circles of a crate with these files, each as sorted names.
fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let files: BTreeMap<&Path, &str> = files
        .iter()
        .map(|(name, text)| (Path::new(*name), *text))
        .collect();
    let read = |path: &Path| files.get(path).map(|text| (*text).to_owned());
    let tree = Tree::read(Path::new("lib.rs"), &read).unwrap();
    let name = |file: &usize| tree.files[*file].display().to_string();
    circles(&tree)
        .iter()
        .map(|circle| {
            let mut names: Vec<String> = circle.files.iter().map(name).collect();
            names.sort();
            names
        })
        .collect()
}

fn is_free(files: &[(&str, &str)]) {
    assert_eq!(found(files), Vec::<Vec<String>>::new());
}

#[test]
fn two_files_that_use_each_other_are_a_circle() {
    let circle = found(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "pub struct B; fn f() { super::a::g::<u8>() }"),
    ]);
    assert_eq!(circle, [["a.rs", "b.rs"]]);
}

#[test]
fn a_circle_may_lead_through_many_files() {
    let circle = found(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "pub fn a() { crate::b::b() }"),
        ("b.rs", "use crate::c; pub fn b() { c::c() }"),
        ("c.rs", "pub fn c() { println!(\"{}\", super::a::a()) }"),
        ("d.rs", "use crate::a::a;"),
    ]);
    assert_eq!(circle, [["a.rs", "b.rs", "c.rs"]]);
}

#[test]
fn one_direction_is_no_circle() {
    is_free(&[
        ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("a.rs", "use crate::B; pub struct A(B);"),
        ("b.rs", "pub struct B;"),
    ]);
}

#[test]
fn a_reexport_counts_as_its_definition() {
    let circle = found(&[
        ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("a.rs", "use crate::B; pub struct A(B);"),
        ("b.rs", "pub struct B; fn f(_: crate::A) {}"),
    ]);
    assert_eq!(circle, [["a.rs", "b.rs"]]);
}

#[test]
fn a_parent_that_only_declares_and_reexports_is_in_no_circle() {
    is_free(&[
        ("lib.rs", "mod a; pub use a::child::C; pub struct Root;"),
        (
            "a/mod.rs",
            "pub mod child; pub use child::C; pub const LIMIT: u8 = 1;",
        ),
        (
            "a/child.rs",
            "use super::LIMIT; use crate::Root; pub struct C;",
        ),
    ]);
}

#[test]
fn a_parent_that_uses_its_reexported_child_is() {
    let circle = found(&[
        ("lib.rs", "mod a; pub use a::A; pub struct Root(A);"),
        ("a.rs", "pub struct A; fn f(_: super::Root) {}"),
    ]);
    assert_eq!(circle, [["a.rs", "lib.rs"]]);
}

#[test]
fn an_import_of_the_parent_counts_as_its_definition() {
    is_free(&[
        ("lib.rs", "mod a; mod low;"),
        (
            "a/mod.rs",
            "mod child; use crate::low::Low; fn f(_: Low) { child::g() }",
        ),
        ("a/child.rs", "use super::Low; pub fn g() {}"),
        ("low.rs", "pub struct Low;"),
    ]);
}

#[test]
fn a_child_that_uses_its_parents_items_is_one_if_the_parent_uses_it() {
    let circle = found(&[
        ("lib.rs", "mod a;"),
        (
            "a.rs",
            "mod child; pub struct Shared; fn f() { child::g() }",
        ),
        (
            "a/child.rs",
            "use super::*; pub fn g() -> Shared { Shared }",
        ),
    ]);
    assert_eq!(circle, [["a.rs", "a/child.rs"]]);
}

#[test]
fn test_code_is_left_out() {
    is_free(&[
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        (
            "b.rs",
            "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
        ),
    ]);
}

#[test]
fn other_crates_and_visibilities_are_left_out() {
    is_free(&[
        ("lib.rs", "mod a; mod std; pub(crate) mod c { }"),
        (
            "a.rs",
            "use ::std::fmt; use serde::a; pub struct A; fn f() { serde::x() }",
        ),
        ("std.rs", "pub(in crate) struct S(pub(super) crate::a::A);"),
    ]);
}

#[test]
fn a_module_and_a_function_may_share_a_name() {
    let circle = found(&[
        ("lib.rs", "mod check; mod b; pub use check::check;"),
        (
            "check.rs",
            "pub fn check() { crate::b::b() } pub struct Fault;",
        ),
        (
            "b.rs",
            "use crate::check; pub fn b() { let _ = check::Fault; }",
        ),
    ]);
    assert_eq!(circle, [["b.rs", "check.rs"]]);
}

#[test]
fn what_a_macro_makes_is_of_the_file_that_calls_it() {
    let circle = found(&[
        ("lib.rs", "mod abi; mod b;"),
        ("abi/mod.rs", "mod sol; pub use sol::*;"),
        (
            "abi/sol.rs",
            "alloy::sol! { struct Entry {} } use crate::b::B;",
        ),
        ("b.rs", "use crate::abi::Entry; pub struct B;"),
    ]);
    assert_eq!(circle, [["abi/sol.rs", "b.rs"]]);
}

#[test]
fn serde_names_code_in_strings() {
    let circle = found(&[
        ("lib.rs", "mod a; mod hex;"),
        (
            "a.rs",
            "pub struct A { #[serde(with = \"crate::hex::bytes\")] x: u8 }",
        ),
        (
            "hex.rs",
            "pub mod bytes { pub fn serialize(_: crate::a::A) {} }",
        ),
    ]);
    assert_eq!(circle, [["a.rs", "hex.rs"]]);
    let circle = found(&[
        ("lib.rs", "mod a; mod hex;"),
        (
            "a.rs",
            "pub struct A { #[serde(default = \"crate::hex::default\")] x: u8 }",
        ),
        ("hex.rs", "pub fn default() -> crate::a::A { loop {} }"),
    ]);
    assert_eq!(circle, [["a.rs", "hex.rs"]]);
}

#[test]
fn a_file_may_be_named_by_its_path() {
    let circle = found(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "#[path = \"other/c.rs\"] mod c; pub struct A;"),
        ("other/c.rs", "mod d;"),
        ("other/d.rs", "pub fn d() { crate::b::b() }"),
        ("b.rs", "pub fn b() { crate::a::c::d::d() }"),
    ]);
    assert_eq!(circle, [["b.rs", "other/d.rs"]]);
}
