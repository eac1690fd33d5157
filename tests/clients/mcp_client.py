"""Uses the hub with the official MCP SDK for Python; prints what it found as one line of JSON.

    mcp_client.py ADDRESS [TOKEN]
    mcp_client.py --stdio COMMAND ARGUMENT...
"""

import asyncio
import json
import sys

import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client


def transport(arguments):
    """Where the messages go."""
    if arguments[0] == "--stdio":
        return stdio_client(StdioServerParameters(command=arguments[1], args=arguments[2:]))
    headers = {"Authorization": f"Bearer {arguments[1]}"} if len(arguments) > 1 else {}
    return streamable_http_client(arguments[0], http_client=httpx2.AsyncClient(headers=headers))


async def main():
    async with Client(transport(sys.argv[1:])) as client:
        tools = (await client.list_tools()).tools
        found = await client.call_tool("search_skills", {"query": "tables from invoices"})
        skill = found.structured_content["skills"][0]["skill"]
        text = await client.call_tool("read_skill_file", {"skill": skill, "path": "references/how.md"})
        missing = await client.call_tool("get_skill", {"skill": "@anna/nothing"})
        resources = (await client.list_resources()).resources
        read = await client.read_resource("skill://anna/pdf-tables/references/how.md")
        answer = {
            "version": client.protocol_version,
            "tools": [tool.name for tool in tools],
            "skill": skill,
            "text": text.structured_content["text"],
            "missing": missing.is_error,
            "resources": sorted(resource.name for resource in resources),
            "read": read.contents[0].text,
        }
        print(json.dumps(answer))


asyncio.run(main())
