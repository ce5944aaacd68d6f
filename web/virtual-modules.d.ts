/// <reference types="vite/client" />

declare module 'virtual:shipped-models' {
  /** Name → address of its folder, relative to the engine's worker. */
  const shipped: Readonly<Record<string, string>>
  export default shipped
}
