def test_static_files_and_pages_come_from_the_running_application(live, new_page):
    page = new_page()

    answer = page.goto("/accounts/login/")

    assert answer.status == 200
    assert answer.headers["x-request-id"]
    assert page.locator("input[name=login]").is_visible()
