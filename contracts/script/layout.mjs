// SPDX-License-Identifier: Apache-2.0
// Writes snapshots/abi and snapshots/storage: what callers, enclaves and clients rely on, one line
// each, so that a change of interface or layout is seen for what it is in review. With `--check`,
// prints what differs from the committed ones and fails. Fails in either case if a namespace's
// location is not where ERC-7201 puts it.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexToBigInt, keccak256, numberToHex, stringToBytes, toEventSelector, toFunctionSelector } from 'viem';
import { published } from './compiler/published.mjs';
import { compile, nodes, root } from './compiler/sources.mjs';

const check = process.argv.includes('--check');
const { output, texts } = compile();
const faults = [];

sync(join('snapshots', 'abi'), abis());
sync(join('snapshots', 'storage'), { ...variables(), ...namespaces() });

for (const fault of faults) console.error(fault);
if (faults.length > 0) {
  console.error('if this is meant, run node script/layout.mjs and commit what it writes');
  process.exit(1);
}
console.error(check ? 'ABI and storage layout match the snapshots' : 'ABI and storage layout written');

/** Every item of each published ABI: its kind and selector, and what it stands for. */
function abis() {
  const files = {};
  for (const { path, definition } of published(output)) {
    const { abi } = output.contracts[path][definition.name];
    if (abi.length > 0) files[definition.name] = Object.fromEntries(abi.map(line).sort());
  }
  return files;
}

function line(item) {
  const types = (parameters) => parameters.map(parameter).join(', ');
  switch (item.type) {
    case 'function': {
      const returns = item.outputs.length > 0 ? ` returns (${types(item.outputs)})` : '';
      const text = `${item.name}(${types(item.inputs)}) ${item.stateMutability}${returns}`;
      return [`function ${toFunctionSelector(item)}`, text];
    }
    case 'event':
      return [`event ${toEventSelector(item)}`, `${item.name}(${types(item.inputs)})`];
    case 'error':
      return [`error ${toFunctionSelector({ ...item, type: 'function' })}`, `${item.name}(${types(item.inputs)})`];
    default:
      return [item.type, `(${types(item.inputs ?? [])}) ${item.stateMutability}`];
  }
}

/** Structs are spelled out: renaming or reordering their fields is a change too. */
function parameter({ type, name, components, indexed }) {
  const spelled = components ? `(${components.map(parameter).join(', ')})${type.slice('tuple'.length)}` : type;
  return [spelled, indexed && 'indexed', name].filter(Boolean).join(' ');
}

/** State variables outside of any namespace. */
function variables() {
  const files = {};
  for (const { path, definition } of published(output)) {
    if (definition.contractKind !== 'contract') continue;
    files[definition.name] = { variables: flat(output.contracts[path][definition.name].storageLayout) };
  }
  return files;
}

/** The structs that ERC-7201 places, laid out by the compiler as variables of a probe. */
function namespaces() {
  const found = Object.entries(output.sources).flatMap(([path, { ast }]) =>
    nodes(ast, 'ContractDefinition').flatMap((holder) =>
      nodes(holder, 'StructDefinition').flatMap((struct) => {
        const id = /@custom:storage-location erc7201:(\S+)/.exec(struct.documentation?.text ?? '')?.[1];
        return id && path.startsWith('src/') ? [{ id, path, holder: holder.name, struct: struct.name }] : [];
      }),
    ),
  );
  const probe = [
    'pragma solidity ^0.8.28;',
    ...found.map(({ path, holder }, i) => `import {${holder} as Holder${i}} from "${path}";`),
    ...found.map(({ struct }, i) => `contract Probe${i} { Holder${i}.${struct} private layout; }`),
  ].join('\n');
  const probed = compile({ 'probe.sol': probe }).output.contracts['probe.sol'];

  const files = {};
  found.forEach(({ id, path, holder, struct }, i) => {
    const location = erc7201(id);
    if (!texts[path].includes(location)) faults.push(`${path}: ${id} belongs at ${location}, which it does not mention`);
    if (files[id]) faults.push(`${path}: the namespace ${id} is taken twice`);
    const [members] = Object.values(flat(probed[`Probe${i}`].storageLayout));
    files[id] = { struct: `${holder}.${struct}`, location, members };
  });
  return files;
}

/** ERC-7201: keccak256(abi.encode(uint256(keccak256(id)) - 1)) & ~0xff. */
function erc7201(id) {
  const inner = hexToBigInt(keccak256(stringToBytes(id))) - 1n;
  const outer = hexToBigInt(keccak256(numberToHex(inner, { size: 32 })));
  return numberToHex((outer >> 8n) << 8n, { size: 32 });
}

/**
 * A compiler's layout without the numbers that change from one compilation to the next: for each
 * variable its slot, first byte, type and name, and what it takes or consists of.
 */
function flat({ storage, types }) {
  const described = ({ slot, offset, type, label }) => [`${slot}:${offset} ${types[type].label} ${label}`, content(type)];
  const content = (type) => {
    const struct = structure(type);
    if (!struct) return `${types[type].numberOfBytes} bytes`;
    return Object.fromEntries(types[struct].members.map(described));
  };
  // Itself, or what nested mappings and arrays lead to in the end.
  const structure = (type) => {
    const { members, value, base } = types[type];
    return members ? type : (value ?? base) && structure(value ?? base);
  };
  return Object.fromEntries((storage ?? []).map(described));
}

/** Makes a directory hold exactly these files, or says how it differs. */
function sync(directory, files) {
  const absolute = join(root, directory);
  mkdirSync(absolute, { recursive: true });
  for (const file of readdirSync(absolute)) {
    if (files[file.replace(/\.json$/, '')]) continue;
    if (check) faults.push(`${join(directory, file)}: nothing corresponds to it any more`);
    else rmSync(join(absolute, file));
  }
  for (const [name, content] of Object.entries(files)) {
    const path = join(absolute, `${name}.json`);
    const text = `${JSON.stringify(content, null, 2)}\n`;
    const committed = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (committed === text) continue;
    if (check) faults.push(...difference(join(directory, `${name}.json`), committed, text));
    else writeFileSync(path, text);
  }
}

/** Lines that only one of the two has. */
function difference(path, committed, text) {
  const [before, after] = [committed, text].map((whole) => whole.split(/,?\n/));
  const gone = before.filter((line) => !after.includes(line)).map((line) => `  - ${line.trim()}`);
  const added = after.filter((line) => !before.includes(line)).map((line) => `  + ${line.trim()}`);
  return [`${path} differs${gone.length + added.length === 0 ? ' in order or nesting' : ''}`, ...gone, ...added];
}
