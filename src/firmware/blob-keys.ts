/** Key of a build's ELF: `{model_code}/{sha256 of the ELF}.elf`. */
export function elfKey(modelCode: string, elfSha256: string): string {
  return `${modelCode}/${elfSha256}.elf`;
}
