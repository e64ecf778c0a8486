// SPDX-License-Identifier: Apache-2.0
// Which definitions others build on: what is deployed, every interface, and the bases and libraries
// meant to be used from outside. What is only inherited or linked in is nobody else's business.

import { nodes } from './sources.mjs';

/** Where files are meant to be imported by others, interfaces aside. */
const outside = [/^src\/[^/]+\.sol$/, /^src\/consumer\//, /^src\/guest\//];

/** Published contracts, interfaces and libraries as { path, definition }, by path. */
export function published({ sources }) {
  return Object.entries(sources)
    .filter(([path]) => path.startsWith('src/'))
    .flatMap(([path, { ast }]) => nodes(ast, 'ContractDefinition').map((definition) => ({ path, definition })))
    .filter(({ path, definition: { contractKind } }) => {
      return contractKind === 'interface' || outside.some((pattern) => pattern.test(path));
    });
}

/** Whether a definition ends up on a chain as it is. */
export function deployable({ contractKind, abstract }) {
  return contractKind === 'contract' && !abstract;
}
