/** sharp, loaded when the first picture comes: its library takes 0.1 s, in which an engine can start on its thread. */
export async function loadSharp() {
  return (await import('sharp')).default
}
