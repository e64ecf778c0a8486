// SPDX-License-Identifier: Apache-2.0
//! Certificate paths (RFC 5280) over `rustls-webpki`.
