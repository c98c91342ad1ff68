// Lines to copy: the same few calls in curl and in Python, with this project's id and columns in them.

const example = (columns) => Object.fromEntries(columns.map((column) => [column, '…']))

export function curlScript({ origin, id, columns }) {
  const line = JSON.stringify({ key: 'task-1', input: example(columns) }).replaceAll("'", String.raw`'\''`)
  return `export GUILDHALL=${origin}/api/v1 TOKEN=…   # a token with projects:read, projects:write

# Add tasks: one JSON object on each line. The key keeps a repeat from adding twice.
printf '%s\\n' '${line}' |
  curl -fsS "$GUILDHALL/projects/${id}/tasks" -H "Authorization: Bearer $TOKEN" \\
    -H 'Content-Type: application/x-ndjson' --data-binary @-

# How far is it?
curl -fsS "$GUILDHALL/projects/${id}/progress" -H "Authorization: Bearer $TOKEN"

# One label for each task, as CSV
curl -fsS "$GUILDHALL/projects/${id}/results?format=csv&aggregate=majority" -H "Authorization: Bearer $TOKEN" -o results.csv
`
}

export function pythonScript({ origin, id, columns }) {
  const input = JSON.stringify(example(columns))
  return `import json, os, urllib.request

API = "${origin}/api/v1"
PROJECT = "${id}"

def call(method, path, body=None):
    """One call of the API. TOKEN holds a token with projects:write, reviews:read, reviews:write."""
    request = urllib.request.Request(
        API + path, method=method, data=body if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + os.environ["TOKEN"], "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)

call("POST", f"/projects/{PROJECT}/tasks", [{"key": "task-1", "input": ${input}}])
for answer in call("GET", f"/projects/{PROJECT}/assignments?state=submitted"):
    print(answer["task"]["key"], answer["worker"], answer["answer"])
    call("POST", f"/assignments/{answer['id']}/accept", {})
`
}
