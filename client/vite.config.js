import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { defineConfig } from 'vite'

const server = process.env.GUILDHALL_SERVER ?? 'http://127.0.0.1:8000'
const apiOrigin = process.env.VITE_API_ORIGIN ?? ''
const liveOrigin = process.env.VITE_LIVE_ORIGIN ?? apiOrigin
const proxied = ['/api/', '/oauth/', '/accounts/', '/static/', '/admin/', '/.well-known/', '/healthz', '/readyz']

/** The policy travels in the page too, so that it holds wherever the built files are served from. */
function contentSecurityPolicy() {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' https: data: blob:",
    "media-src 'self' https: blob:",
    `connect-src 'self' ${apiOrigin} ${liveOrigin.replace(/^http/, 'ws')}`.trim(),
    // Plain http only on one's own machine, and there only where the server's own policy allows it too.
    "frame-src 'self' https: http://127.0.0.1:* http://localhost:*",
    "form-action 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
  ].join('; ')
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: () => [
        { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' },
      ],
    },
  }
}

/** A compressed copy beside each text file; the server sends it to browsers that take it. */
function compressed() {
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle({ dir }) {
      for (const name of readdirSync(dir, { recursive: true })) {
        if (!/\.(js|css|html|svg|webmanifest)$/.test(name)) continue
        writeFileSync(join(dir, `${name}.gz`), gzipSync(readFileSync(join(dir, name)), { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  plugins: [contentSecurityPolicy(), compressed()],
  build: { target: 'es2022', assetsInlineLimit: 0, sourcemap: false, chunkSizeWarningLimit: 700 },
  server: {
    port: 8150,
    proxy: Object.fromEntries(proxied.map((path) => [path, { target: server, changeOrigin: false }])),
  },
  preview: {
    port: 8150,
    proxy: Object.fromEntries(proxied.map((path) => [path, { target: server, changeOrigin: false }])),
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.spec.js'],
    setupFiles: ['./vitest.setup.js'],
    restoreMocks: true,
    // One window for all files: making one takes longer than all tests of a file.
    isolate: false,
    fileParallelism: false,
  },
})
