/** Headers of a file that a browser saves and never shows. @param filename of characters that need no quoting */
export function attachment(filename: string, size: number) {
  return {
    'Content-Type': 'application/octet-stream',
    'Content-Length': size,
    'Content-Disposition': `attachment; filename="${filename}"`,
    'X-Content-Type-Options': 'nosniff',
  };
}
