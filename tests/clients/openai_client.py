"""Uses the hub's models with the official client of OpenAI for Python; prints what it found as one line of JSON.

    openai_client.py ADDRESS TOKEN
"""

import json
import sys

import openai


def refusal(do):
    """The kind, the status and the code of an error."""
    try:
        do()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code]
    return None


def main():
    address, token = sys.argv[1:]
    client = openai.OpenAI(api_key=token, base_url=address, max_retries=0)
    stranger = openai.OpenAI(api_key="wrong", base_url=address, max_retries=0)
    messages = [{"role": "user", "content": "hello"}]
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
    ask = client.chat.completions.create
    answer = ask(model="small", messages=messages, extra_body={"x_own": "Ada"})
    called = ask(model="small", messages=messages, tools=tools)
    streamed, stream_tokens = "", None
    for chunk in ask(model="small", messages=messages, stream=True, stream_options={"include_usage": True}):
        streamed += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        stream_tokens = chunk.usage.total_tokens if chunk.usage else stream_tokens
    print(json.dumps({
        "models": [model.id for model in client.models.list()],
        "text": answer.choices[0].message.content,
        "tokens": answer.usage.total_tokens,
        "request": bool(answer._request_id),
        "arguments": json.loads(called.choices[0].message.tool_calls[0].function.arguments),
        "streamed": streamed,
        "stream_tokens": stream_tokens,
        "missing": refusal(lambda: ask(model="none", messages=messages)),
        "broken": refusal(lambda: ask(model="broken", messages=messages)),
        "stranger": refusal(lambda: stranger.models.list()),
    }))


main()
