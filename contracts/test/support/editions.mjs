// SPDX-License-Identifier: Apache-2.0
// Writes ../fixtures/dcap-editions.json: collateral by the stand-in for Intel as it follows upon that of dcap.json,
// revocation lists of all lengths, and SHA-384 of messages of every length that `Sha384` takes. Signatures are random.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { bytesToHex } from 'viem';
import { certificate, hierarchy, qeIdentity, revocationList } from './intel.mjs';

const file = (name) => new URL(`../fixtures/${name}`, import.meta.url);
const { now } = JSON.parse(readFileSync(file('dcap.json'), 'utf8'));
const day = 86_400;
const intel = hierarchy(now);
const machine = intel.serial('pck m');

const hex = (value) => {
  if (Buffer.isBuffer(value)) return bytesToHex(value);
  if (value && typeof value === 'object') {
    return Array.isArray(value) ? value.map(hex) : Object.fromEntries(Object.entries(value).map(([name, each]) => [name, hex(each)]));
  }
  return value;
};

const strangers = Array.from({ length: 6 }, (_, index) => intel.serial(`stranger ${index}`));
/** The six strangers, with `serial` at a place among them. */
const among = (serial, place) => [...strangers.slice(0, place), serial, ...strangers.slice(place)];
const list = (issuer, serials, { from = now - day, until = now + 29 * day } = {}) => revocationList(issuer, { from, until, serials });
const places = [0, 3, 6];

/** An edition that was issued `hours` after that of dcap.json. */
const edition = (hours, evaluation) => {
  const dates = { issued: now - day + hours * 3600, until: now + 29 * day };
  const window = { from: dates.issued, until: dates.until };
  return {
    issued: dates.issued,
    rootCrl: list(intel.root, [], window),
    pckCrl: list(intel.authority, strangers, window),
    ...identity({ ...dates, evaluation: evaluation - 1 }),
  };
};

/** A quoting enclave's identity, signed. */
const identity = (about) => {
  const json = Buffer.from(qeIdentity({ tdx: true, ...about }));
  return { qeIdentity: json, qeIdentitySignature: intel.signer.key.sign(json) };
};

/** A certificate for the key of one of the hierarchy's, under another serial number or for ten days. */
const sibling = (subject, of, options) =>
  certificate(intel.root, subject, { ...intel.years, until: now + 10 * day, serial: intel.serial(of), ...options });

const low64 = (of) => `0x${intel.serial(of).subarray(-8).toString('hex')}`;

const fixture = {
  serials: { machine: low64('pck m'), authority: low64('pck ca'), signer: low64('signer'), sibling: low64('sibling') },
  siblings: {
    rootCertificate: sibling(intel.root, 'root', { authority: { path: 1 } }),
    pckAuthority: sibling(intel.authority, 'sibling', { authority: { path: 0 } }),
    tcbSigner: sibling(intel.signer, 'sibling', {}),
    revoking: list(intel.root, [intel.serial('sibling')], { from: now - day + 3600 }),
  },
  // What Intel publishes months before it is in common use, and what is in common use when that has run out.
  early: identity({ issued: now - day + 3600, until: now + 10 * day, evaluation: 25 }),
  usual: identity({ issued: now + 5 * day, until: now + 35 * day, evaluation: 19 }),
  rootLists: places.map((place) => list(intel.root, among(intel.serial('pck ca'), place))),
  signerLists: places.map((place) => list(intel.root, among(intel.serial('signer'), place))),
  pckLists: places.map((place) => list(intel.authority, among(machine, place))),
  pckListOfOthers: list(intel.authority, strangers),
  // The same last 64 bits, but for one bit.
  pckListOfNeighbours: list(intel.authority, [0, 7].map((back) => {
    const serial = Buffer.from(machine);
    serial[serial.length - 1 - back] ^= 1;
    return serial;
  })),
  long: revocationList(intel.authority, {
    from: now - day,
    until: now + 29 * day,
    serials: [1, 2, 8, 9, 19, 20].map((length) => createHash('sha1').update(`${length}`).digest().fill(0x5a, 0, 1).subarray(0, length)),
  }),
  older: edition(-1, 20),
  same: edition(0, 20),
  newer: edition(1, 20),
  newerOfLowerEvaluation: edition(2, 19),
  sha384: Array.from({ length: 112 }, (_, length) =>
    createHash('sha384').update(Buffer.from(Array.from({ length }, (_, index) => (index * 7 + length) & 0xff))).digest(),
  ),
};
writeFileSync(file('dcap-editions.json'), `${JSON.stringify(hex(fixture), null, 1)}\n`);
