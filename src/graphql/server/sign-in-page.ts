/**
 * A form for a token, sent to the address of the page. It has no script, so its content policy can forbid all scripts.
 */
export function signInPage(problem?: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>Coredock: sign in</title></head>
<body>
<h1>Coredock</h1>
${problem === undefined ? '' : `<p role="alert">${escapeHtml(problem)}</p>`}
<form method="post">
<label>Token of a viewer or admin <input type="password" name="token" autocomplete="current-password" required autofocus></label>
<button>Open GraphiQL</button>
</form>
</body>
</html>
`;
}

/**
 * For who comes by a link of another site. The browser has sent no cookie with it, but sends it when this page opens the
 * same address: then the answer is GraphiQL, or the form.
 *
 * @param address relative to the page
 */
export function arrivalPage(address: string): string {
  const here = escapeHtml(address);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><meta http-equiv="refresh" content="0; url=${here}"><title>Coredock</title></head>
<body><p><a href="${here}">Open GraphiQL</a></p></body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
