// SPDX-License-Identifier: Apache-2.0
//! The paths in an item's code.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{
    Attribute, Item,
    visit::{self, Visit},
};

use super::module::{self, Module, Use};

/// Adds to `module` what `item` imports and uses.
pub(super) fn collect(item: &Item, module: &mut Module) {
    Collector { module }.visit_item(item);
}

struct Collector<'a> {
    module: &'a mut Module,
}

impl Collector<'_> {
    fn add(&mut self, span: Span, path: Vec<String>) {
        self.module.uses.push(Use {
            line: span.start().line,
            path,
            reexport: false,
        });
    }

    /// Paths in what a macro is given, which only the macro can parse: `a::b`, and names of types.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut start = Span::call_site();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.end(start, &mut path);
                        start = name.span();
                    }
                    // After a leading `::` it is another crate's.
                    if colons != 2 || !path.is_empty() {
                        path.push(name.to_string());
                    }
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                other => {
                    self.end(start, &mut path);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.end(start, &mut path);
    }

    fn end(&mut self, start: Span, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        let is_type = |name: &String| name.starts_with(char::is_uppercase);
        if path.len() > 1 || path.first().is_some_and(is_type) {
            self.add(start, path);
        }
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !module::is_test(module::attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !module::is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_impl_item_const(&mut self, constant: &'ast syn::ImplItemConst) {
        if !module::is_test(&constant.attrs) {
            visit::visit_impl_item_const(self, constant);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !module::is_test(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_field_value(&mut self, value: &'ast syn::FieldValue) {
        if !module::is_test(&value.attrs) {
            visit::visit_field_value(self, value);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !module::is_test(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.module.import(item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none()
            && let Some(first) = path.segments.first()
        {
            let names = path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string());
            self.add(first.ident.span(), names.collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        self.tokens(item.tokens.clone());
    }

    /// `pub(in crate::a)` uses nothing of `a`.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    /// Of attributes only serde's name code: `#[serde(with = "crate::hex")]`.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let syn::Meta::List(list) = &attribute.meta else {
            return;
        };
        if !list.path.is_ident("serde") {
            return;
        }
        for token in list.tokens.clone() {
            if let TokenTree::Literal(literal) = &token
                && let Ok(path) = syn::parse_str::<syn::LitStr>(&literal.to_string())
                && let Ok(path) = path.parse::<syn::Path>()
                && path.segments.len() > 1
            {
                let names = path
                    .segments
                    .iter()
                    .map(|segment| segment.ident.to_string());
                // Where it names a module, serde calls this in it.
                let names = names.chain(["serialize".to_owned()]);
                self.add(literal.span(), names.collect());
            }
        }
    }
}
