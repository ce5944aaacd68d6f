/** A message that begins with the name of what it is about; most messages name it already. */
export function messageAbout(name: string, message: string): string {
  return message.includes(name) ? message : `${name}: ${message}`
}
