/** A page that asks for a token, and sends it to where it came from. No script, so that no policy needs to allow one. */
export function signInPage(problem?: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>Coredock: sign in</title></head>
<body>
<h1>Coredock</h1>
${problem === undefined ? '' : `<p role="alert">${escapeHtml(problem)}</p>`}
<form method="post" action="/graphql">
<label>Token of a viewer or admin <input type="password" name="token" autocomplete="current-password" required autofocus></label>
<button>Open GraphiQL</button>
</form>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
