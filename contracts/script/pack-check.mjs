// SPDX-License-Identifier: Apache-2.0
// Packs @subrosa/contracts as it would be published, installs the tarball into a project of its own,
// and uses it there: compiles the examples with forge, reads ABIs and artifacts from Node.js. Nothing
// is downloaded: what the package depends on is installed from node_modules.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forge } from './forge.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const project = mkdtempSync(join(tmpdir(), 'subrosa-consumer-'));

try {
  const tarball = pack();
  install(tarball);
  compile();
  read();
  console.error('the package installs, compiles and reads in a project of its own');
} finally {
  rmSync(project, { recursive: true, force: true });
}

/** Packs, and checks that the tarball holds what it should and nothing else. */
function pack() {
  run('node', ['script/abi-modules.mjs'], root);
  const [{ filename, files, unpackedSize }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', project], root));
  const paths = files.map(({ path }) => path).sort();
  const allowed = /^(src\/.+\.sol|artifacts\/\w+\.json|deployments\/.+|examples\/\w+\.sol|dist\/abi\.(js|d\.ts)|README\.md|LICENSE|package\.json)$/;
  const surplus = paths.filter((path) => !allowed.test(path));
  assert.deepEqual(surplus, [], 'files that do not belong into the package');
  const sources = readdirSync(join(root, 'src'), { recursive: true }).filter((file) => file.endsWith('.sol'));
  for (const path of [...sources.map((file) => `src/${file}`), 'dist/abi.js', 'dist/abi.d.ts', 'LICENSE', 'README.md']) {
    assert.ok(paths.includes(path), `the package lacks ${path}`);
  }
  console.error(`packed ${paths.length} files, ${unpackedSize} bytes`);
  return join(project, filename);
}

function install(tarball) {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const local = Object.keys(dependencies).map((name) => [name, `file:${join(root, 'node_modules', name)}`]);
  const manifest = {
    name: 'consumer',
    private: true,
    type: 'module',
    dependencies: { ...Object.fromEntries(local), '@subrosa/contracts': `file:${tarball}` },
  };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  run('npm', ['install', '--offline', '--install-links', '--no-audit', '--no-fund', '--no-package-lock'], project);
  for (const [name, version] of Object.entries(dependencies)) {
    const nested = join(project, 'node_modules', '@subrosa', 'contracts', 'node_modules', name);
    assert.ok(!existsSync(nested), `${name} is there twice`);
    const installed = JSON.parse(readFileSync(join(project, 'node_modules', name, 'package.json'), 'utf8'));
    assert.equal(installed.version, version, `${name} is the version that the package names`);
  }
}

/** The examples, copied out of the installed package as their users would. */
function compile() {
  const installed = join(project, 'node_modules', '@subrosa', 'contracts');
  cpSync(join(installed, 'examples'), join(project, 'src'), { recursive: true });
  mkdirSync(join(project, 'tools'));
  writeFileSync(
    join(project, 'foundry.toml'),
    [
      '[profile.default]',
      `solc = "${join(root, 'tools', 'solc')}"`,
      'offline = true',
      'evm_version = "osaka"',
      'libs = ["node_modules"]',
      'remappings = ["@subrosa/contracts/=node_modules/@subrosa/contracts/", "@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/"]',
    ].join('\n'),
  );
  run(forge, ['build'], project);
  for (const [file, name] of [
    ['PublicInput', 'PrizeDraw'],
    ['EncryptedInput', 'CreditCheck'],
    ['SealedOutput', 'Notebook'],
    ['Erc20Gate', 'TokenGate'],
  ]) {
    const { bytecode } = JSON.parse(readFileSync(join(project, 'out', `${file}.sol`, `${name}.json`), 'utf8'));
    assert.ok(bytecode.object.length > 2, `${name} has bytecode`);
  }
}

/** Everything that `exports` promises resolves. */
function read() {
  const script = `
    import assert from 'node:assert/strict';
    import { subrosaOracleAbi } from '@subrosa/contracts';
    import oracle from '@subrosa/contracts/artifacts/SubrosaOracle.json' with { type: 'json' };
    import schema from '@subrosa/contracts/deployments/schema.json' with { type: 'json' };
    assert.deepEqual(subrosaOracleAbi, oracle.abi);
    assert.ok(oracle.bytecode.length > 1000);
    assert.ok(schema.properties.contracts);
    import.meta.resolve('@subrosa/contracts/src/SubrosaConsumer.sol');
    await assert.rejects(import('@subrosa/contracts/script/deploy.mjs'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
  `;
  run(process.execPath, ['--no-warnings', '--input-type=module', '--eval', script], project);
}

function run(command, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
  return stdout;
}
