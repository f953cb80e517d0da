import type { GraphiQLOptions } from 'graphql-yoga';

/**
 * The page of GraphiQL. Its files are at `/graphiql/` (src/http/graphiql-assets.ts); the options, which may have a token
 * in them, are data and not a script, so that the content policy can forbid all inline scripts.
 */
export function graphiqlPage(options: GraphiQLOptions): string {
  // "<" could end the element.
  const json = JSON.stringify(options).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>${options.title}</title>
<link rel="stylesheet" href="graphiql/graphiql.css">
</head>
<body id="body" class="no-focus-outline">
<noscript>GraphiQL needs JavaScript.</noscript>
<div id="root"></div>
<script type="application/json" id="graphiql-options">${json}</script>
<script src="graphiql/graphiql.js"></script>
</body>
</html>
`;
}
