/**
 * `npm run fuzz -- [reader|texts|graphql] [--runs N] [--seed S] [--only RUN]`: the reader (`reader.ts`) unless it is said
 * otherwise; `texts` reads broken texts about crashes (`texts.ts`); `graphql` compares answers of the server with graphql-js (`graphql.ts`).
 */
const target = process.argv[2]?.startsWith('--') === false ? process.argv[2] : 'reader';
if (process.argv[2] === target) process.argv.splice(2, 1);

switch (target) {
  case 'reader':
    await import('./reader.js');
    break;
  case 'texts':
    await import('./texts.js');
    break;
  case 'graphql':
    await import('./graphql.js');
    break;
  default:
    throw new Error(`There is nothing to fuzz called "${target}": reader, texts, or graphql.`);
}
