// SPDX-License-Identifier: Apache-2.0
// forge as npm installs it, without the launcher that npm puts before it: that one exits with 0
// whatever forge says. Run as `node script/forge.mjs …`.

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const arch = process.arch === 'x64' ? 'amd64' : process.arch;

/** Path of the executable. */
export const forge = join(
  dirname(self),
  '..',
  'node_modules',
  '@foundry-rs',
  `forge-${process.platform}-${arch}`,
  'bin',
  'forge',
);

if (process.argv[1] === self) {
  const { status, error } = spawnSync(forge, process.argv.slice(2), { stdio: 'inherit' });
  if (error) console.error(`cannot run ${forge}: ${error.message}; run npm ci`);
  process.exit(status ?? 1);
}
