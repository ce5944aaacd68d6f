/** A member of a tar, whatever its name is. */
export interface TarEntry {
  readonly name: string
  readonly content: Uint8Array | string
  /** `0` a file (default), `1` a hard link, `2` a symbolic link, `3` a device, `5` a folder */
  readonly type?: '0' | '1' | '2' | '3' | '5'
  /** What a link leads to. Default `/etc/passwd`. */
  readonly target?: string
}

const blockBytes = 512

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`
}

function header({ name, type = '0', target = '/etc/passwd' }: TarEntry, sizeBytes: number): Buffer {
  const block = Buffer.alloc(blockBytes)
  block.write(name, 0, 100)
  block.write(
    octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(sizeBytes, 12) + octal(0, 12),
    100,
    'latin1',
  )
  block.write(`        ${type}${type === '1' || type === '2' ? target : ''}`, 148, 'latin1')
  block.write('ustar\u000000', 257, 'latin1')
  const checksum = block.reduce((sum, byte) => sum + byte, 0)
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** A tar in the ustar form. @param options `endMark`: the two blocks of zeros at the end */
export function tarBytes(entries: readonly TarEntry[], { endMark = true } = {}): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content)
    const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes)
    return [header(entry, content.length), content, padding]
  })
  return Buffer.concat([...blocks, Buffer.alloc(endMark ? 2 * blockBytes : 0)])
}
