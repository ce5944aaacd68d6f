// A photo in, labels out, without a server. With Vite: npm install blvit vite, copy a model's folder (blvit ships
// assets/models/vit-tiny) to public/model, npx vite.
const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
const answer = document.querySelector('#answer')
const input = document.querySelector<HTMLInputElement>('#photo')

worker.addEventListener('message', ({ data }: MessageEvent<string>) => {
  if (answer) answer.textContent = data
})
input?.addEventListener('change', () => worker.postMessage(input.files?.[0]))
